/// The looks of the report: a printed page, in the reader's light or dark.
enum StyleSheet {
  static let text = colours + type + claims + figures + samples + narrow + print

  private static let colours = """
    :root{color-scheme:light dark;
    --paper:#fdfcf9;--ink:#1f1f1d;--soft:#5d5c56;--line:#e2dfd6;--tint:#f3f1ea;--goal:#ebe7db;
    --s0:#1d5c9e;--s1:#b34a0f;--s2:#26734d;--s3:#83398a;--s4:#7a5d00;--s5:#4f4f4f;
    --pass:#1f6d45;--fail:#ad2a22;--inconclusive:#7a5d00}
    @media(prefers-color-scheme:dark){:root{
    --paper:#161719;--ink:#e6e4de;--soft:#a5a39b;--line:#34363b;--tint:#1f2124;--goal:#2b2e33;
    --s0:#82b5f0;--s1:#f09a63;--s2:#72c79d;--s3:#d097d6;--s4:#d8b552;--s5:#b9b9b9;
    --pass:#72c79d;--fail:#f08b82;--inconclusive:#d8b552}}

    """

  private static let type = """
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
    @media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
    body{margin:0;background:var(--paper);color:var(--ink);
    font:1.0625rem/1.6 Charter,"Bitstream Charter","Sitka Text",Cambria,Georgia,serif}
    main{max-width:44rem;margin:0 auto;padding:3.5rem 1.25rem 4rem}
    h1,h2,h3{line-height:1.2;text-wrap:balance;font-weight:600}
    h1{font-size:2.3rem;margin:0 0 .8rem;letter-spacing:-.01em}
    h2{font-size:1.6rem;margin:0 0 .9rem;letter-spacing:-.005em}
    h3{font-size:1.1rem;margin:2rem 0 .4rem}
    p{margin:.7rem 0;text-wrap:pretty}
    .lead{font-size:1.2rem;color:var(--ink)}
    .facts,small,figcaption,caption,.legend,th,td,.sample header,footer,summary,.badge{
    font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
    .facts,footer{font-size:.85rem;color:var(--soft)}
    small{font-size:.8rem;color:var(--soft)}
    a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:.2em;
    text-decoration-thickness:1px}
    a:hover{text-decoration-color:currentColor}
    :focus-visible{outline:2px solid var(--s0);outline-offset:2px}
    section{margin-top:4rem;padding-top:2rem;border-top:1px solid var(--line)}
    blockquote{margin:1.2rem 0;padding:.1rem 0 .1rem 1.1rem;border-left:3px solid var(--line)}
    blockquote p{margin:.2rem 0;font-style:italic}
    code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
    font-size:.85em}
    pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.6rem 0;line-height:1.5}
    pre code{font-size:1em}
    section>pre{background:var(--tint);padding:.7rem .9rem;border-radius:4px}
    ul{padding-left:1.2rem;margin:.5rem 0}
    li{margin:.25rem 0}
    footer{margin-top:4rem;padding-top:1rem;border-top:1px solid var(--line)}

    """

  private static let claims = """
    .badge{display:inline-block;font-size:.7rem;font-weight:650;letter-spacing:.06em;
    line-height:1;padding:.32rem .5rem;border:1px solid currentColor;border-radius:3px;
    white-space:nowrap}
    .pass{color:var(--pass)}.fail{color:var(--fail)}.inconclusive{color:var(--inconclusive)}
    .inconclusive.badge{border-style:dashed}
    table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
    .claims{width:100%;margin:2.2rem 0 0}
    .claims caption{caption-side:bottom;text-align:left;color:var(--soft);font-size:.8rem;
    padding-top:.7rem}
    .claims th,.claims td{text-align:left;vertical-align:middle;padding:.8rem .9rem .8rem 0;
    border-top:1px solid var(--line);line-height:1.35}
    .claims tr:last-child>*{border-bottom:1px solid var(--line)}
    .claims th{font-weight:500;font-size:.95rem}
    .claims small{display:block;font-weight:400;margin-top:.2rem}
    .claims .outcome{padding-right:0;text-align:right}
    .claims th{padding-right:2rem}
    .claims .group th{font-size:1.05rem;font-weight:600;padding:2rem 0 .5rem;border-top:0}
    nav ol{padding-left:1.4rem;margin:1.6rem 0 0;columns:18rem 2;column-gap:2rem}
    nav li{break-inside:avoid}nav small{white-space:nowrap}
    .figures{white-space:nowrap;color:var(--soft)}.figures b{color:var(--ink);font-weight:600}
    .figures small{white-space:nowrap}
    .decided{list-style:none;padding:0;margin:0 0 1.2rem;display:grid;
    grid-template-columns:max-content 1fr;gap:.5rem .9rem;align-items:baseline}
    .decided li{display:contents}
    .decided .badge{justify-self:start}
    .scroll{overflow-x:auto;margin:.8rem 0}
    .scroll th,.scroll td{padding:.35rem 1.1rem .35rem 0;text-align:right;white-space:nowrap;
    border-bottom:1px solid var(--line)}
    .scroll th{font-weight:500}.scroll thead th{color:var(--soft);font-weight:500;
    border-bottom-color:var(--soft)}
    .scroll th:first-child{text-align:left}

    """

  private static let figures = """
    figure{margin:2rem 0}
    figcaption{font-size:.85rem;line-height:1.45;color:var(--soft);margin-bottom:.7rem}
    figcaption strong{display:block;font-size:.98rem;font-weight:600;color:var(--ink)}
    svg{display:block;width:100%;height:auto;overflow:visible}
    svg text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
    font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}
    .end{text-anchor:end}.middle{text-anchor:middle}
    svg .row{fill:var(--ink);font-size:13px;paint-order:stroke;stroke:var(--paper);
    stroke-width:4px;stroke-linejoin:round}svg .value{fill:var(--ink)}
    .grid{stroke:var(--line);stroke-width:1;fill:none}
    .axis{stroke:var(--soft);stroke-width:1;fill:none}
    .reference{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:5 4;fill:none}
    .s0{--c:var(--s0)}.s1{--c:var(--s1)}.s2{--c:var(--s2)}.s3{--c:var(--s3)}.s4{--c:var(--s4)}
    .s5{--c:var(--s5)}
    .series{stroke:var(--c);stroke-width:2;fill:none;stroke-linejoin:round}
    .series.s1{stroke-dasharray:7 3}.series.s2{stroke-dasharray:2 3}
    .series.s3{stroke-dasharray:9 3 2 3}.series.s4{stroke-dasharray:12 4}
    .series.s5{stroke-dasharray:4 4}
    .marker{fill:var(--paper);stroke:var(--c);stroke-width:2}
    .whisker{stroke:var(--c);stroke-width:1.4;fill:none;opacity:.65}
    .band{fill:var(--c);opacity:.16}
    svg .label{fill:var(--c,var(--soft));font-weight:500}
    .b0{--c:var(--s0);--f:1}.b1{--c:var(--s1);--f:.22}.b2{--c:var(--s2);--f:0}
    .bar{fill:var(--c);fill-opacity:var(--f);stroke:var(--c);stroke-width:1}
    .error{stroke:var(--ink);stroke-width:1.3;fill:none}
    .legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;
    margin:0 0 .6rem;font-size:.8rem;color:var(--soft)}
    .legend li{display:flex;align-items:center;gap:.45rem;margin:0}
    .legend svg{width:28px;flex:none}
    .strip{width:100%;max-width:200px;margin:.35rem 0 .1rem}.strip .goal{fill:var(--goal)}
    .strip .reach{stroke:currentColor;stroke-width:3;stroke-linecap:round}
    .strip .point{fill:currentColor}
    details{font-size:.8rem;color:var(--soft);margin-top:.5rem}
    summary{cursor:pointer;padding:.25rem 0;width:max-content}
    .narrow{display:none}

    """

  private static let samples = """
    .samples{display:grid;gap:.8rem;margin:1.2rem 0}
    .sample{background:var(--tint);border-left:3px solid var(--c,var(--soft));
    padding:.6rem .9rem;border-radius:0 4px 4px 0}
    .right{--c:var(--pass)}.wrong{--c:var(--fail)}
    .sample header{font-size:.78rem;color:var(--soft);display:flex;gap:.6rem}
    .sample header b{color:var(--c);font-weight:650}
    .sample pre{margin:.3rem 0;unicode-bidi:isolate}
    .strips{margin:1.2rem 0;display:grid;gap:.4rem}
    .pieces{display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:baseline}
    .pieces b{flex:0 0 8rem;font:500 .8rem system-ui,sans-serif;color:var(--soft)}
    .pieces span{display:flex;flex-wrap:wrap;gap:3px}
    .pieces code{border:1px solid var(--line);border-radius:3px;padding:.1rem .35rem}
    .prompt{color:var(--soft)}.response{color:var(--c,var(--ink))}
    .boards{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:1.2rem;
    margin:1.2rem 0}
    .board{margin:0}.board figcaption{margin:.5rem 0 0;font-size:.8rem}
    .board strong{font-size:.85rem}svg .inside{fill:var(--paper)}

    """

  private static let narrow = """
    @media(max-width:36rem){
    main{padding-top:2rem}
    h1{font-size:1.8rem}h2{font-size:1.4rem}.lead{font-size:1.1rem}
    .wide{display:none}svg.narrow{display:block}ul.narrow{display:flex}
    .claims,.claims tbody{display:block}
    .claims caption{display:block;padding:0 0 .8rem}
    .claims tr{display:grid;grid-template-columns:1fr auto;gap:.5rem 1rem;padding:1rem 0;
    border-top:1px solid var(--line);align-items:center}
    .claims tr:last-child{border-bottom:1px solid var(--line)}
    .claims th,.claims td,.claims tr:last-child>*{padding:0;border:0}
    .claims th{grid-column:1/3}
    .decided{display:block}
    .decided li{display:block;margin:0 0 .9rem}
    .decided .badge{display:table;margin-bottom:.25rem}
    }

    """

  private static let print = """
    @media print{
    :root{--paper:#fff;--ink:#000;--soft:#444;--line:#ccc;--tint:#f5f5f5;--goal:#e8e8e8;
    --s0:#1d5c9e;--s1:#b34a0f;--s2:#26734d;--s3:#83398a;--s4:#7a5d00;--s5:#4f4f4f;
    --pass:#1f6d45;--fail:#ad2a22;--inconclusive:#7a5d00}
    @page{margin:18mm 16mm}
    body{font-size:10.5pt}
    main{max-width:none;padding:0}
    figure,.sample,.claims tr,blockquote,pre{break-inside:avoid}
    h2,h3,figcaption{break-after:avoid}
    section{margin-top:1.5rem;padding-top:1rem}
    details{display:none}
    .bar,.goal,.sample{print-color-adjust:exact;-webkit-print-color-adjust:exact}
    }

    """
}
