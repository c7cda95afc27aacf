/// How pages look: on a phone, on a desk, on paper; in the light and in the dark.
enum HTMLStyle {
  /// The style sheet; roles have colours that differ in lightness as well as in hue.
  static let sheet = """
    :root { color-scheme: light dark; --ink: #1b1f24; --faint: #57606a; --rule: #d0d7de;
      --paper: #ffffff; --panel: #f6f8fa; --good: #1a7f37; --bad: #cf222e;
      --parameters: #3b6ea8; --gradients: #d9822b; --optimizer_state: #7a5195; --activations: #2f9e8f;
      --communication: #c2577b; --workspace: #a0a832; --other: #8a929b; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --faint: #9aa4ae; --rule: #343b44;
      --paper: #0f1318; --panel: #181e25; --good: #4cc26b; --bad: #ff7b72;
      --parameters: #6ea3dd; --gradients: #eaa356; --optimizer_state: #ae86cc; --activations: #56c2b2;
      --communication: #e388a8; --workspace: #c3cb5c; --other: #7f8892; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink);
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
    main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
    h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid var(--rule); }
    p { margin: .4rem 0; } .faint { color: var(--faint); }
    .verdict { border-left: .4rem solid var(--bad); background: var(--panel); padding: .8rem 1rem; }
    .verdict.fits { border-color: var(--good); }
    .verdict strong { font-size: 1.25rem; color: var(--bad); } .verdict.fits strong { color: var(--good); }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-size: .9rem; }
    th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--rule);
      overflow-wrap: break-word; min-width: 5rem; }
    td code { display: block; min-width: 11rem; overflow-wrap: anywhere; }
    th { color: var(--faint); font-weight: 600; white-space: nowrap; }
    .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; font-size: .9rem; }
    dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
    .bar { display: block; height: .8rem; min-width: 1px; border-radius: 2px; background: var(--other); }
    .room { width: 40%; min-width: 5rem; }
    .chart { margin: 0; }
    .plot { position: relative; height: 20rem; background: var(--panel); overflow: hidden; margin-bottom: .5rem; }
    .plot svg { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
    .line { fill: none; stroke: var(--ink); stroke-width: 1; vector-effect: non-scaling-stroke; }
    .line.phase { stroke: var(--paper); stroke-width: 2; }
    .line.need { stroke-dasharray: 5 4; } .line.capacity { stroke: var(--bad); stroke-width: 2; }
    .line.peak { stroke-dasharray: 2 3; }
    .label { position: absolute; font-size: .75rem; line-height: 1.2; padding: 0 .25rem; white-space: nowrap;
      background: var(--paper); color: var(--ink); opacity: .92; border-radius: 2px; margin: 2px; }
    .label.last { right: 0; }
    .label.capacity { right: 0; color: var(--bad); } .label.need { right: 0; transform: translateY(100%); margin-bottom: -2px; }
    .label.need.early { right: auto; left: 0; }
    .label.peak { font-weight: 600; } .label.peak.before { transform: translateX(-100%); margin-left: -2px; }
    .plot.small { height: 14rem; }
    .front { fill: none; stroke: var(--parameters); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
    .dot { fill: none; stroke-linecap: round; vector-effect: non-scaling-stroke; stroke: var(--other); stroke-width: 6; }
    .dot.best { stroke: var(--parameters); stroke-width: 8; } .dot.chosen { stroke: var(--good); stroke-width: 16; }
    dl + .wide { margin-top: .8rem; } td:first-child { min-width: 7.5rem; }
    ul { margin: .4rem 0; padding-left: 1.2rem; } li { margin: .2rem 0; overflow-wrap: anywhere; }
    .legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: 0 0 .4rem; padding: 0; font-size: .85rem; }
    .legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; border-radius: 2px; }
    figcaption { font-size: .85rem; color: var(--faint); }
    pre { background: var(--panel); padding: .8rem; overflow-x: auto; font-size: .8rem; line-height: 1.4; }
    code { font-size: .9em; }
    .parameters { fill: var(--parameters); background: var(--parameters); }
    .gradients { fill: var(--gradients); background: var(--gradients); }
    .optimizer_state { fill: var(--optimizer_state); background: var(--optimizer_state); }
    .activations { fill: var(--activations); background: var(--activations); }
    .communication { fill: var(--communication); background: var(--communication); }
    .workspace { fill: var(--workspace); background: var(--workspace); }
    .other { fill: var(--other); background: var(--other); }
    @media (max-width: 36rem) { main { padding: 1rem .75rem 2rem; } .plot { height: 15rem; }
      dl { grid-template-columns: 1fr; } dt { margin-top: .4rem; } }
    @page { margin: 16mm 14mm; }
    @media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --panel: #fff; --faint: #333; --rule: #bbb; }
      body { font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      main { max-width: none; padding: 0; } figure, tr, dl, pre, .verdict { break-inside: avoid; }
      h2 { break-after: avoid; margin-top: 1.2rem; } .wide { overflow: visible; } table { font-size: 8pt; }
      th, td, td:first-child { min-width: 0; padding-right: .4rem; } td code { min-width: 0; }
      th.number, td.number { padding-right: 1rem; }
      pre { white-space: pre-wrap; border: 1px solid var(--rule); font-size: 7.5pt; line-height: 1.25; }
      p:has(+ pre) { break-after: avoid; } }

    """
}
