import Testing

@testable import Planner

@Suite("The settings of LoRA over quantized weights") struct LoRASettingsTests {
  private func read(_ members: [JSONValue.Member]) throws(PlanError) -> LoRA {
    var settings = try Settings(.object(members), path: "strategies.lora", keys: LoRA.keys)
    let lora = try LoRA(&settings)
    try settings.finish()
    return lora
  }

  private func error(_ members: JSONValue.Member...) -> PlanError? {
    do throws(PlanError) {
      _ = try read(members)
      return nil
    } catch { return error }
  }

  @Test("quantize 4-bit scales unless told otherwise", arguments: ["nf4", "fp4"])
  func defaults(_ name: String) throws {
    let lora = try read([.init("base_quantization", .string(name))])
    #expect(lora.baseQuantization?.format.rawValue == name)
    #expect(lora.baseQuantization?.doublyQuantized == true)
    #expect(!lora.preparesForKbitTraining)
  }

  @Test("leave the base alone by default") func plain() throws {
    #expect(try read([]).baseQuantization == nil)
    #expect(try read([.init("double_quantization", .bool(false))]).baseQuantization == nil)
  }

  @Test("have no scales to quantize in int8") func int8() throws {
    let lora = try read([.init("base_quantization", .string("int8"))])
    #expect(lora.baseQuantization == BaseQuantization(.int8, doublyQuantized: false))
    let error = error(
      .init("base_quantization", .string("int8")), .init("double_quantization", .bool(true)))
    #expect(error?.kind == .conflict)
    #expect(error?.message == "double_quantization is true with base_quantization int8")
    #expect(error?.path == "strategies.lora.double_quantization")
    #expect(
      error?.fix == "Leave it out, or set \"base_quantization\" to \"nf4\" or \"fp4\".")
  }

  @Test("refuse to quantize scales that do not exist") func noBase() {
    let error = error(.init("double_quantization", .bool(true)))
    #expect(error?.message == "double_quantization is true with no base_quantization")
  }

  @Test("name the nearest format") func unknown() {
    let error = error(.init("base_quantization", .string("nf5")))
    #expect(error?.kind == .unknown)
    #expect(error?.path == "strategies.lora.base_quantization")
    #expect(error?.fix.contains("nf4") == true)
  }

  @Test("want truth values") func types() {
    for key in ["double_quantization", "prepare_for_kbit_training"] {
      let error = error(.init("base_quantization", .string("nf4")), .init(key, .string("yes")))
      #expect(error?.message == "expected true or false, found the text \"yes\"")
      #expect(error?.path == "strategies.lora.\(key)")
    }
  }

  @Test("know DoRA, and rsLoRA, which scales by another constant") func variants() throws {
    let lora = try read([.init("use_dora", .bool(true)), .init("use_rslora", .bool(true))])
    #expect(lora.decomposesWeight)
    #expect(lora.label == "DoRA rank 8 on q_proj, v_proj")
  }

  @Test("cast everything to fp32 where nothing is quantized, as PEFT's function does")
  func preparedPlain() throws {
    var plan = TrainingPlan()
    try LoRA(rank: 8, targetModules: ["q_proj"], preparesForKbitTraining: true).decide(&plan)
    #expect(plan.context.dtype == .fp32)
    #expect(plan.context.quantization == nil)
  }
}
