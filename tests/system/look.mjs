// What can be held of how a page looks, whatever it shows: evaluated in the page itself.

/** Texts on the page that have too little contrast with what is behind them, by the colours that are in force. */
export const faint = (page) => page.evaluate(() => {
  const parse = (css) => { const [r, g, b, a = 1] = (css.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number); return { r, g, b, a }; };
  const over = (top, below) => ({ r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a), b: top.b * top.a + below.b * (1 - top.a), a: 1 });
  const part = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const luminance = (c) => 0.2126 * part(c.r) + 0.7152 * part(c.g) + 0.0722 * part(c.b);
  const ground = (e) => {
    const layers = [];
    for (let at = e; at !== null; at = at.parentElement) {
      const c = parse(getComputedStyle(at).backgroundColor);
      if (c.a > 0) layers.push(c);
      if (c.a === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  for (let node = walk.nextNode(); node !== null; node = walk.nextNode()) {
    const e = node.parentElement, text = node.data.trim();
    // What can not be used now is exempt (WCAG 2.1, 1.4.3); so is what is not there to be read.
    if (text === "" || e.closest("[disabled], [aria-hidden='true'], svg, script, style, option, .u-hz") !== null || e.checkVisibility?.() === false) continue;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (box.width === 0 || style.visibility === "hidden") continue;
    const back = ground(e), ink = over(parse(style.color), back), a = luminance(ink), b = luminance(back);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    seen++;
    if (ratio < (large ? 3 : 4.5)) found.push(`${text.slice(0, 40)} (${e.tagName.toLowerCase()}.${e.className}): ${ratio.toFixed(2)}`);
  }
  return { found: [...new Set(found)], seen };
});

/** What sticks out of the page, is cut off without an ellipsis, or lies under something else. */
export const broken = (page) => page.evaluate(() => {
  const found = [], wide = document.documentElement.clientWidth, name = (e) => `${e.tagName.toLowerCase()}.${e.className} “${(e.getAttribute("aria-label") ?? e.textContent).trim().slice(0, 30)}”`;
  const scrolls = (e) => { for (let at = e.parentElement; at !== null; at = at.parentElement) if (/auto|scroll/.test(getComputedStyle(at).overflowX)) return true; return false; };
  if (document.documentElement.scrollWidth > wide) found.push(`the page is ${document.documentElement.scrollWidth - wide} px too wide`);
  for (const e of document.querySelectorAll("button, input, select, textarea, th, td, h1, h2, p, label, .chip, legend")) {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (box.width === 0 || e.checkVisibility?.() === false || e.closest("svg") !== null) continue;
    if ((box.right > wide + 1 || box.left < -1) && !scrolls(e)) found.push(`${name(e)} sticks out to ${Math.round(box.right)}`);
    if (/button|th|h1|h2|label/i.test(e.tagName) && e.scrollWidth > e.clientWidth + 2 && style.overflowX === "hidden" && style.textOverflow !== "ellipsis") found.push(`${name(e)} is cut off`);
    if (/^T[HD]$/.test(e.tagName) && box.width < 50 && box.height > 60 && !/\s/.test(e.textContent.trim()) && e.textContent.trim().length > 3) found.push(`${name(e)} is squeezed to ${Math.round(box.width)} px`);
    if (!/BUTTON|INPUT|SELECT/.test(e.tagName)) continue;
    const x = box.left + box.width / 2, y = box.top + box.height / 2, main = document.querySelector("main").getBoundingClientRect();
    const inside = e.closest("main") === null || (y > main.top && y < main.bottom && y < innerHeight);
    if (!inside || x < 0 || x > wide || y < 0 || y > innerHeight || scrolls(e) && e.closest(".table-box, .tree, nav") !== null) continue;
    const top = document.elementFromPoint(x, y);
    if (top !== null && top !== e && !e.contains(top) && !top.contains(e) && top.closest("label")?.contains(e) !== true) found.push(`${name(e)} lies under ${name(top)}`);
  }
  return [...new Set(found)];
});
