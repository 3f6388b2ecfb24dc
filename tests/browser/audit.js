// What a screen reader, a keyboard or weak eyes would stumble over on the present page, each in words.
() => {
  const found = [];
  const seen = element => element.checkVisibility({visibilityProperty: true});
  const all = selector => [...document.querySelectorAll(selector)];
  const said = element => `${element.tagName.toLowerCase()} ${JSON.stringify(element.textContent.trim().slice(0, 40))}`;

  if (!document.documentElement.lang) found.push("the page names no language");
  if (!document.title.trim()) found.push("the page has no title");
  if (all("main").length !== 1) found.push(`the page has ${all("main").length} main parts`);
  if (all("h1").length !== 1) found.push(`the page has ${all("h1").length} main headings`);
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6").filter(seen)) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) found.push(`${said(heading)} skips a level`);
    level = next;
  }

  const ids = all("[id]").map(element => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`two elements are called ${id}`);
  for (const attribute of ["for", "aria-labelledby", "aria-describedby"])
    for (const element of all(`[${attribute}]`))
      for (const id of element.getAttribute(attribute).split(/\s+/).filter(Boolean))
        if (!ids.includes(id)) found.push(`${attribute} of ${said(element)} leads to no ${id}`);
  for (const link of all('a[href^="#"]'))
    if (!ids.includes(link.hash.slice(1))) found.push(`${said(link)} leads to no ${link.hash}`);

  for (const image of all("img")) if (!image.hasAttribute("alt")) found.push(`an image says nothing: ${image.src}`);
  for (const field of all("input:not([type=hidden]), select, textarea")) {
    const words = [...field.labels].map(label => label.textContent.trim()).join(" ");
    if (!words && !field.getAttribute("aria-label")) found.push(`no label says what ${field.name} is`);
  }
  const named = element => (element.getAttribute("aria-label") || element.textContent).trim();
  const doing = new Map();
  for (const control of all("a[href], button, summary")) {
    const name = named(control);
    if (!name) found.push(`a ${control.tagName.toLowerCase()} has no name`);
    if (!name.includes(control.textContent.trim())) found.push(`${said(control)} is called otherwise than it says`);
    const target = control.href || `${control.form?.action} ${control.value}`;
    if (doing.has(name) && doing.get(name) !== target) found.push(`two controls that differ are called ${name}`);
    doing.set(name, target);
  }
  for (const control of all("button, .button, summary, label:has(input[type=checkbox])").filter(seen)) {
    const {width, height} = control.getBoundingClientRect();
    if (Math.min(width, height) < 44) found.push(`${said(control)} is ${width} × ${height} px: too small for a finger`);
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth)
    found.push(`the page is ${document.documentElement.scrollWidth} px wide and scrolls sideways`);

  const parts = colour => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return {red, green, blue, alpha};
  };
  const linear = value => value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const bright = ({red, green, blue}) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour.alpha === 1) return colour;
      if (colour.alpha > 0) found.push(`${said(at)} is half transparent: its contrast cannot be told`);
    }
    return {red: 255, green: 255, blue: 255, alpha: 1};
  };
  const texts = all("main *").filter(element => seen(element) && !element.matches("input[type=checkbox], option")
    && (element.matches("input") || [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())));
  let least = Infinity;
  for (const element of texts) {
    const [one, other] = [parts(getComputedStyle(element).color), behind(element)].map(bright);
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    least = Math.min(least, contrast);
    if (contrast < 4.5) found.push(`${said(element)} has a contrast of ${contrast.toFixed(2)}`);
  }
  if (!texts.length) found.push("the page shows no text");
  return found;
}
