import Testing

@testable import Planner

@Suite("A report for people") struct TextRendererTests {
  @Test("says first that it fits, then by how much, what of, and where the peak is")
  func fits() throws {
    let text = TextRenderer.render(
      .planned(try SampleReport.make(), remedies: nil), style: TextStyle())
    let expected = """
      FITS  Llama-2 7B, LoRA
        needs 18.00 GiB of 24.00 GiB per device, 6.00 GiB to spare
        on NVIDIA GeForce RTX 4090

        parameters            12.00 GiB  ███████████████████████
        gradients              0.25 GiB  ▏
        optimizer state        0.50 GiB  █
        activations            3.25 GiB  ██████
        workspace              1.00 MiB  ▏
        allocator, context     2.00 GiB  ▓▓▓▓
        free                   6.00 GiB  ░░░░░░░░░░░

        peak       backward, layers.31.mlp.down_proj: mm
        phase            live   allocated    reserved  at
        forward     16.00 GiB   16.00 GiB   17.00 GiB  lm_head: mm
        backward    15.00 GiB   16.00 GiB   17.00 GiB  lm_head: mm
        optimizer   14.00 GiB   16.00 GiB   17.00 GiB  lm_head: mm
        recompute  +33.3 % FLOPs, +31.0 % time
        devices    1 used, 1 is the least
        step       123.4 TFLOP, 2.00 s expected (1.90 s to 2.80 s)
        speed      2,048 tokens/s, MFU 27.2 %, HFU 36.3 % (measured)
        time       products 60 %, memory-bound 40 %
        model      llama-2-7b, 6,738,415,616 parameters, 8,388,608 of them trained

        defaults   precision bf16-true, attention sdpa
        assumed    the CUDA context and the libraries' kernels take 0.50 GiB of the
                   device
      """
    #expect(text == expected + "\n")
  }

  @Test("says first that it does not fit, and what would make it fit")
  func doesNotFit() throws {
    let report = try SampleReport.make(fits: false)
    let remedies = [try SampleReport.remedy()]
    let text = TextRenderer.render(.planned(report, remedies: remedies), style: TextStyle())
    #expect(text.hasPrefix("DOES NOT FIT  Llama-2 7B, LoRA\n  needs 42.00 GiB of 24.00 GiB"))
    let changes = """

        What makes it fit, least recomputation first:
          "strategies": { "checkpointing": { "policy": "full" } }
            needs 18.00 GiB; recompute +33.3 % FLOPs, +31.0 % time; trains 40.0 M of
            6.7 B parameters

      """
    #expect(text.contains(changes))
    let none = TextRenderer.render(.planned(report, remedies: []), style: TextStyle())
    #expect(none.contains("\n  No change that was tried makes it fit on this device.\n"))
  }

  @Test("says where all of the time goes, however many shares it has") func shares() throws {
    var report = try SampleReport.make(fits: true)
    let keys = [
      "matrix_products", "attention", "memory_bound", "optimizer", "communication", "offload",
      "launches", "bubble",
    ]
    report.time.parts = keys.map { .init(key: $0, seconds: 0.25) }
    let text = TextRenderer.render(.planned(report, remedies: []), style: TextStyle())
    #expect(text.contains("exposed offload") && text.contains("bubble 1"))
  }

  @Test("keeps to 80 columns and one screen, whatever the names are")
  func width() throws {
    for fits in [true, false] {
      var report = try SampleReport.make(fits: fits)
      for long in ["", String(repeating: "wide name ", count: 30)] {
        (report.name, report.device, report.model) = (long, long, long)
        report.peak.operation = long
        report.phases[0].operation = long
        let remedies = [try SampleReport.remedy()]
        let text = TextRenderer.render(.planned(report, remedies: remedies), style: TextStyle())
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines.count <= 34)
      }
    }
  }

  @Test("lets no text from a file reach the terminal as a command")
  func controlCharacters() throws {
    var report = try SampleReport.make()
    report.name = "a\u{1B}[31mb\nc\u{202E}"
    let text = TextRenderer.render(.planned(report, remedies: nil), style: TextStyle())
    #expect(text.hasPrefix("FITS  a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}\n"))
    let error = PlanError(.invalid, "bad \u{1B}", path: "x", fix: "Do.")
    let refused = TextRenderer.render(.refused(name: "\u{1B}", error), style: TextStyle())
    #expect(refused == "REFUSED  \u{FFFD}\n  x: bad \u{FFFD}\n  Do.\n")
  }

  @Test("is the same with and without colour, apart from the colour")
  func color() throws {
    let answer = Answer.planned(try SampleReport.make(), remedies: nil)
    let plain = TextRenderer.render(answer, style: TextStyle())
    let colored = TextRenderer.render(answer, style: TextStyle(color: true))
    #expect(!plain.contains("\u{1B}") && colored.hasPrefix("\u{1B}[1;32mFITS\u{1B}[0m  "))
    #expect(colored.replacing(/\u{1B}\[[0-9;]*m/, with: "") == plain)
  }

  @Test("parts the answers to a list by an empty line")
  func list() throws {
    let error = PlanError(.invalid, "bad", path: "model", fix: "Do.")
    let answers = [Answer.refused(name: "a", error), .refused(name: "b", error)]
    let text = TextRenderer.render(answers, style: TextStyle())
    #expect(text == "REFUSED  a\n  model: bad\n  Do.\n\nREFUSED  b\n  model: bad\n  Do.\n")
  }

  @Test("shows a ladder as a table")
  func ladder() throws {
    let ladder = Ladder(of: [
      .init(label: "baseline", report: try SampleReport.make(fits: false)),
      .init(label: "LoRA rank 16 on q_proj, v_proj", report: try SampleReport.make()),
      .init(label: "all together", report: try SampleReport.make()),
    ])
    let text = TextRenderer.render(ladder, style: TextStyle())
    let expected = """
      Llama-2 7B, LoRA
        each line is planned by itself; 24.00 GiB per NVIDIA GeForce RTX 4090

        technique                      live      needed    FLOPs     time devices
        baseline                  40.00 GiB   42.00 GiB  +33.3 %  +31.0 %    none no
        LoRA rank 16 on q_proj, v_proj
                                  16.00 GiB   18.00 GiB  +33.3 %  +31.0 %       1 fits
        all together              16.00 GiB   18.00 GiB  +33.3 %  +31.0 %       1 fits

        needed    per device, with what the allocator and the CUDA context take
        FLOPs     what is recomputed, and its time, on top of the step without it
        devices   the least of this kind that work
      """
    #expect(text == expected + "\n")
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test("takes a smaller unit where GiB would show nothing")
  func small() {
    #expect(MemoryScale(largest: Bytes(1 << 28)).text(Bytes(3 << 20)) == "3.0 MiB")
    let large = MemoryScale(largest: Bytes(1 << 30))
    #expect(large.text(Bytes(3 << 29)) == "1.50 GiB" && large.text(.zero) == "0.00 GiB")
    #expect(large.text(Bytes(1000)) == "0.98 KiB" && large.text(Bytes(12)) == "12 B")
  }
}
