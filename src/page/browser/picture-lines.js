const svg = 'http://www.w3.org/2000/svg';

/** Lines that are drawn: a picture with more says nothing. */
const mostLines = 60;

/**
 * Draws lines in a picture from its hub to everything with `data-line`, whose value is the tone of the line. The lines
 * repeat what lists say, so that only sighted people get them.
 *
 * @param {HTMLElement} picture
 */
export function drawLines(picture) {
  const canvas = picture.querySelector('svg.lines');
  const hub = picture.querySelector('[data-hub]');
  if (canvas === null || hub === null) return;
  const frame = picture.getBoundingClientRect();
  const center = hub.getBoundingClientRect();
  const paths = [...picture.querySelectorAll('[data-line]')].slice(0, mostLines).flatMap((end) => {
    const box = end.getBoundingClientRect();
    // One below the other, as on a telephone: there is no room for lines.
    if (box.right > center.left && box.left < center.right) return [];
    const left = box.right <= center.left;
    const from = { x: (left ? box.right : box.left) - frame.left, y: box.top + box.height / 2 - frame.top };
    const y = Math.min(Math.max(from.y, center.top - frame.top + 18), center.bottom - frame.top - 18);
    const to = { x: (left ? center.left : center.right) - frame.left, y };
    const bend = (from.x + to.x) / 2;
    const path = document.createElementNS(svg, 'path');
    path.setAttribute('d', `M${from.x} ${from.y}C${bend} ${from.y} ${bend} ${to.y} ${to.x} ${to.y}`);
    path.setAttribute('class', `line ${end.getAttribute('data-line')}`);
    return [path];
  });
  canvas.setAttribute('viewBox', `0 0 ${frame.width} ${frame.height}`);
  canvas.replaceChildren(...paths);
}
