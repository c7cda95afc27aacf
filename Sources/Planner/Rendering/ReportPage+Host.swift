extension ReportPage {
  /// Below the verdict, where the scenario says how much the host has.
  var hostVerdict: [String] {
    guard let host = report.host, let capacity = host.capacity else { return [] }
    let need = "  host memory: needs \(scale.text(host.needed)) of \(scale.text(capacity))"
    return [need + (host.fits ? "" : ", which is too much")]
  }

  /// What lies on the host and what moves, one line each.
  var hostFacts: [String] {
    guard let host = report.host else { return [] }
    let parts = Role.allCases.filter { host.breakdown[$0] != .zero }.map {
      "\($0.key.split(separator: "_").joined(separator: " ")) \(scale.text(host.breakdown[$0]))"
    }
    var lines = [
      fact("host", "\(scale.text(host.needed)), \(scale.text(host.pinned)) of it pinned"),
      fact("", parts.joined(separator: ", ")),
    ]
    if host.toHost != .zero || host.toDevice != .zero {
      let moved = "\(scale.text(host.toHost)) out, \(scale.text(host.toDevice)) in"
      let exposed = TextLayout.duration(host.exposedSeconds)
      lines.append(fact("transfers", "\(moved) per step, about \(exposed) of it exposed"))
    }
    return lines
  }
}
