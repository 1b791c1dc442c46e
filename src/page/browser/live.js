/** Milliseconds until the next attempt after a stream broke; doubled by each attempt that fails. */
const firstWait = 1_000;
const longestWait = 30_000;

/** Milliseconds without an open stream after which an attempt has failed. */
const patience = 15_000;

/**
 * Milliseconds without an event after which an open stream counts as broken. The server sends one every ten seconds, and
 * a connection that a network has dropped without a word reports no error.
 */
const silence = 35_000;

/**
 * Follows the status by server-sent events. When the stream breaks, says so and opens it again: the browser's own retry
 * ends when a proxy answers with an error.
 *
 * @param {string} path
 * @param {{ status(status: import('./types.d.ts').Status): void, changed(live: import('./types.d.ts').Live): void }} listener
 */
export function follow(path, listener) {
  let wait = firstWait;
  /** @type {number | undefined} */
  let brokenSince;
  /** @type {() => void} */
  let now = () => {};

  const open = () => {
    const source = new EventSource(path);
    let ended = false;
    /** @type {number | undefined} */
    let timer;
    /** @param {number} milliseconds in which the next event has to come */
    const expectEvent = (milliseconds) => {
      clearTimeout(timer);
      if (!ended) timer = setTimeout(fail, milliseconds);
    };
    const fail = () => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      source.close();
      brokenSince ??= Date.now();
      const timeout = setTimeout(() => now(), wait);
      now = () => {
        clearTimeout(timeout);
        now = () => {};
        open();
      };
      listener.changed({ state: 'broken', since: brokenSince, retryAt: Date.now() + wait });
      wait = Math.min(wait * 2, longestWait);
    };
    expectEvent(patience);
    source.addEventListener('open', () => {
      expectEvent(silence);
      wait = firstWait;
      brokenSince = undefined;
      listener.changed({ state: 'open' });
    });
    source.addEventListener('status', (event) => {
      expectEvent(silence);
      listener.status(JSON.parse(event.data));
    });
    source.addEventListener('alive', () => expectEvent(silence));
    source.addEventListener('error', fail);
  };
  open();
  // A laptop that wakes up should not wait for the timer.
  window.addEventListener('online', () => now());
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) now();
  });
  return { retry: () => now() };
}
