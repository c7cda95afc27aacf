import Testing

@testable import Planner

@Suite("Prices") struct PriceTests {
  private static let rows = CatalogPrices.bought + CatalogPrices.rented

  @Test("are of devices there are, with a day and a source") func rows() {
    let names = Set(
      (DeviceCatalog.all + ProcessorDevices.all).map(\.id) + UnplannedDevice.all.map(\.id))
    for row in Self.rows {
      #expect(names.contains(row.device), "\(row.device)")
      #expect(row.price.amount > 0 && !row.price.source.isEmpty && !row.price.seller.isEmpty)
      #expect(row.price.isDated)
    }
  }

  @Test("are the newest of the catalog, the first of equally new ones") func newest() {
    let prices = PriceList()
    func rental(_ id: String) -> Double? {
      DeviceCatalog.named(id).flatMap { prices.rental(of: $0)?.amount }
    }
    // Crusoe in 2026-08, not AWS in 2024-12; NCHC's commercial rate, which is listed before the academic one.
    #expect(rental("h100-sxm") == 3.9 && rental("v100-sxm2-32gb") == 2.5)
    #expect(rental("h100-nvl") == nil && rental("rtx-3070") == nil)
    // Lambda's list of 2024, not the price at launch.
    #expect(DeviceCatalog.named("rtx-4090").flatMap { prices.price(of: $0)?.amount } == 2125)
  }

  @Test("of a user go ahead of the catalog's, those of the scenario ahead of a list's") func own()
    throws
  {
    let list = try PriceList([
      "currency": "EUR", "as_of": "2026-11-02", "source": "quotation 4711",
      "devices": [
        "rtx-4090": ["price": 1900, "rental_per_hour": 0.35, "watts": 400],
        "h100-sxm": ["price": 30_000],
      ],
    ])
    var reader = ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }
    reader.prices = list
    let scenario = try reader.read([
      "model": "gpt2", "workload": ["micro_batch_size": 1, "sequence_length": 128],
      "hardware": ["device": "rtx-4090", "price": 1500], "run": ["steps": 10, "currency": "EUR"],
    ])
    let run = try #require(try Planner.plan(scenario).run)
    #expect(run.cost.currency == "EUR" && run.cost.price?.amount == 1500)
    #expect(run.cost.rental?.amount == 0.35 && run.energy?.deviceWatts == 400)
    let h100 = try #require(DeviceCatalog.named("h100-sxm"))
    #expect(scenario.prices.price(of: h100)?.amount == 30_000)
  }

  @Test("in dollars are left out in another currency, unless it has a rate") func currency() throws
  {
    func cost(_ run: JSONValue) throws -> RunCost? {
      try Planner.plan(
        try ScenarioReader { (path) throws(PlanError) in
          throw PlanError(.unreadable, "no file here", path: path, fix: "")
        }.read([
          "model": "gpt2", "workload": ["micro_batch_size": 1, "sequence_length": 128],
          "hardware": ["device": "rtx-4090"], "run": run,
        ])
      ).run?.cost
    }
    #expect(try cost(["steps": 1, "currency": "EUR"])?.price == nil)
    #expect(try cost(["steps": 1, "currency": "EUR", "per_usd": 0.5])?.price?.amount == 1062.5)
    #expect(try cost(["steps": 1])?.price?.amount == 2125)
  }

  @Test("in a list that cannot be read are refused")
  func refusals() {
    let wrong: [JSONValue] = [
      [:], [1, 2], ["devices": [1]], ["devices": ["rtx-4090": ["cost": 1]]],
      ["devices": ["rtx-4090": ["price": -1]]], ["devices": [:], "currency": "dollars"],
    ]
    for value in wrong { #expect(throws: PlanError.self) { try PriceList(value) } }
  }

  @Test("and power stand for every device of the catalog") func facts() {
    for device in DeviceCatalog.all + ProcessorDevices.all {
      #expect((device.year ?? 0) >= 2017 && (PriceList().watts(of: device) ?? 0) >= 70)
    }
    #expect(DeviceFacts.all.count == DeviceCatalog.all.count + ProcessorDevices.all.count)
  }

  @Test("of devices that are not planned come with the reason") func unplanned() {
    for device in UnplannedDevice.all {
      #expect(DeviceCatalog.named(device.id) == nil && !device.reason.isEmpty)
    }
    #expect(UnplannedDevice.named("MI300X")?.name == "Instinct MI300X")
  }
}
