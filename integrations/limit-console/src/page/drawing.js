// Draws the page, at most once a frame.

const parts = [];
let asked = false;

/** Adds a part of the page, which draws itself. */
export function onDraw(part) { parts.push(part); }

/** Draws everything before the next frame, once, however often it is called. */
export function draw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    for (const part of parts) part();
  });
}
