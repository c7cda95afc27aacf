import Testing

@testable import Planner

@Suite("A document as Markdown") struct MarkdownTests {
  @Test("shows text as text") func escaping() {
    let table = DocumentTable(
      headings: ["a|b", "n"], rows: [[.text("<b> *x* [y](z) `c`"), .code("a|b `c`")]],
      numbers: [1])
    let text = MarkdownBlocks.markdown([
      .title("# <script>"), .table(table), .code("```\n<x>", language: "json"),
    ])
    #expect(
      text == """
        # \\# \\<script\\>

        | a\\|b | n |
        | --- | ---: |
        | \\<b\\> \\*x\\* \\[y\\](z) \\`c\\` | `a\\|b 'c'` |

        ```json
        ` ` `
        <x>
        ```

        """)
  }

  @Test("has the verdict and the tables of a report") func report() throws {
    let text = MarkdownRenderer.render(
      .planned(try SampleReport.make(), remedies: nil), style: TextStyle())
    #expect(text.hasPrefix("# Llama-2 7B, LoRA\n\n**Fits.** Needs 18.00 GiB of the 24.00 GiB"))
    #expect(text.contains("| phase | live | allocated | reserved | highest at |"))
  }
}
