/** The look of the statistics page: the colours that operators read states by, light and dark. */

/** Row colours: class, on light, on dark. One row per state; the legend of the page shows the same. */
const COLOURS: readonly (readonly [name: string, light: string, dark: string])[] = [
  ['active_up', '#c0ffc0', '#165900'],
  ['active_going_down', '#ffffa0', '#6c6c00'],
  ['active_going_up', '#ffd020', '#b99200'],
  ['active_down', '#ff9090', '#760000'],
  ['active_nolb', '#20a0ff', '#006ab9'],
  ['active_draining', '#20a0ff', '#006ab9'],
  ['active_no_check', '#e0e0e0', '#2a2d2f'],
  ['backup_up', '#b0d0ff', '#2e3f5a'],
  ['backup_going_down', '#c060ff', '#580092'],
  ['backup_going_up', '#ff80ff', '#7f007f'],
  ['backup_down', '#ff9090', '#760000'],
  ['backup_nolb', '#90b0e0', '#1e3c6a'],
  ['backup_draining', '#cc9900', '#a37a00'],
  ['backup_no_check', '#e0e0e0', '#2a2d2f'],
  ['maintain', '#c07820', '#9a601a'],
  ['frontend', '#e8e8d0', '#2f3437'],
  ['backend', '#e8e8d0', '#2f3437'],
  ['listener', '#d0d0d0', '#2a2d2f'],
  ['head', '#20d0d0', '#1aa6a6'],
];

function colours(dark: 0 | 1): string {
  return COLOURS.map(c => `.${c[0]}{background:${c[1 + dark]}}`).join('');
}

export const STYLE = `
:root{--ink:#000;--paper:#fff;--line:gray;--bar:#b00040;--bar-ink:#ffff40;--title:#6020a0;--band:#e8e8d0;--tip:#f0f060;--link:#00e}
${colours(0)}
@media(prefers-color-scheme:dark){
:root{--ink:#e8e6e3;--paper:#131516;--line:#808080;--bar:#8d0033;--bar-ink:#ffff46;--title:#a265e0;--band:#3e3e1f;--tip:#8e8e0d;--link:#3391ff}
${colours(1)}
}
body{font:12px arial,helvetica,sans-serif;color:var(--ink);background:var(--paper)}
a{color:var(--link)}
h1{font-size:24px;margin:16px 0 10px}
h1 a{text-decoration:none}
h2{font-size:24px;font-style:italic;color:var(--title);margin:0}
h3{font-size:16px;color:var(--bar);background:var(--band);margin:4px 0}
.top{border-bottom:2px solid var(--ink);padding-bottom:4px}
.info{display:flex;justify-content:space-between;align-items:center;gap:2em;margin:2px 2px 8px;font-size:10px;line-height:1.2}
.info ul{margin:3px 0;padding-left:40px}
.info li{margin:3px 24px 0 0}
.info>div:nth-child(n+3){align-self:flex-start}
.legend{border-collapse:collapse}
.legend td{padding:2px 8px 2px 2px}
.legend .key{border:1px solid var(--line);padding:2px 4px}
.note{padding:3px;margin:6px 0}
.name{display:flex;font-weight:bold;font-size:10px;margin-top:10px}
.name>*{border:1px solid var(--line);border-bottom:0;padding:2px 3px;box-sizing:border-box}
.name>:first-child{width:10%;min-width:max-content;text-align:center;background:var(--bar)}
.name>:first-child a{color:var(--bar-ink);text-decoration:none}
.name .desc{flex:1}
.rows{width:100%;border-collapse:collapse;font-size:10px}
.rows th,.rows td{border:1px solid var(--line);padding:2px 3px;white-space:nowrap}
.rows td{text-align:right}
.rows .c{text-align:center}
.rows td a{color:inherit;text-decoration:none}
.rows i{font-style:normal;margin-right:.25em}
.rows strong{color:red}
.rows td:first-child{text-align:center}
.rows input{margin:2px}
.t{border-bottom:1px dotted}
.t>span{display:none;position:absolute;z-index:9;grid-template-columns:auto auto;gap:0 6px;padding:3px 5px;
text-align:left;font-size:11px;font-weight:normal;color:var(--ink);background:var(--tip);border:1px solid #7040c0;border-radius:3px;box-shadow:gray 2px 2px 3px}
.t>span>b{white-space:pre}
.t>span>span{text-align:right}
.t:hover>span{display:grid}
.rows td:last-child .t>span{right:8px}
`;
