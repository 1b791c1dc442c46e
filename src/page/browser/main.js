import { render } from 'lit-html';
import { ApiError, ask } from './api.js';
import { follow } from './live.js';
import { drawLines } from './picture-lines.js';
import { changes } from './views/changes.js';
import { explain } from './views/explain.js';
import { frame } from './views/frame.js';
import { gateways } from './views/gateways.js';
import { object } from './views/object.js';
import { problems } from './views/problems.js';

/**
 * A part of the page: what it reads for a route, and how that is shown.
 *
 * @typedef {object} View
 * @property {(route: import('./types.d.ts').Route) => string} title
 * @property {(route: import('./types.d.ts').Route, get: (path: string) => Promise<any>) => Promise<unknown>} read
 * @property {(value: any, state: import('./types.d.ts').State, app: App) => unknown} show
 *
 * @typedef {object} App
 * @property {(changes: Readonly<Record<string, string>>) => void} setQuery changes the query of the route
 * @property {(asked: import('./types.d.ts').Asked) => void} setAsked
 * @property {() => void} retry opens the stream again at once
 */

/** @type {Readonly<Record<string, View>>} */
const views = { gateways, object, explain, problems, changes };

const root = /** @type {HTMLElement} */ (document.getElementById('page'));

/** @type {import('./types.d.ts').State} */
const state = {
  route: readRoute(),
  live: { state: 'connecting' },
  status: undefined,
  data: undefined,
  error: undefined,
  asked: undefined,
};

/** @returns {import('./types.d.ts').Route} */
function readRoute() {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  const [view = '', ...rest] = path.split('/');
  return {
    view: Object.hasOwn(views, view) ? view : 'gateways',
    rest: rest.map(decodeURIComponent).join('/'),
    query: new URLSearchParams(query),
  };
}

/** @type {App} */
const app = {
  setQuery: (changes) => {
    const { view, rest, query } = state.route;
    const next = new URLSearchParams(query);
    for (const [name, value] of Object.entries(changes)) {
      if (value === '') next.delete(name);
      else next.set(name, value);
    }
    const text = next.toString();
    history.replaceState(
      null,
      '',
      `#/${view}/${rest.split('/').map(encodeURIComponent).join('/')}${text && `?${text}`}`,
    );
    routeChanged();
  },
  setAsked: (asked) => {
    state.asked = asked;
    show();
  },
  retry: () => stream.retry(),
};

let drawing = 0;

function show() {
  const view = views[state.route.view] ?? gateways;
  const key = routeKey();
  const content = state.data?.route === key ? view.show(state.data.value, state, app) : undefined;
  render(frame(state, content, app), root);
  if (headingAwaited && content !== undefined) focusHeading();
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(() => {
    for (const picture of root.querySelectorAll('.picture')) {
      if (picture instanceof HTMLElement) drawLines(picture);
    }
  });
}

/** True from a change of the view until its heading is there. */
let headingAwaited = false;

/** Moves the focus to the heading of the view, as after a click on a link between pages, for those who listen. */
function focusHeading() {
  headingAwaited = false;
  const heading = root.querySelector('main .detail h2, main h2');
  if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
}

function routeKey() {
  const { view, rest, query } = state.route;
  return `${view}/${rest}?${query}`;
}

/** @type {AbortController | undefined} */
let reading;
let readAgain = false;

/** Reads what the view shows. What is shown stays until it is there. */
async function read() {
  if (reading !== undefined) {
    readAgain = true;
    return;
  }
  const own = new AbortController();
  reading = own;
  const route = routeKey();
  const view = views[state.route.view] ?? gateways;
  try {
    const value = await view.read(state.route, (path) => ask(path, { signal: own.signal }));
    if (own.signal.aborted) return;
    state.data = { route, value };
    state.error = undefined;
  } catch (error) {
    if (own.signal.aborted) return;
    state.error = error instanceof ApiError ? error.message : `This page failed: ${String(error)}`;
  }
  reading = undefined;
  show();
  if (readAgain) {
    readAgain = false;
    void read();
  }
}

function routeChanged() {
  const before = state.route;
  state.route = readRoute();
  reading?.abort();
  reading = undefined;
  readAgain = false;
  state.error = undefined;
  const view = views[state.route.view] ?? gateways;
  document.title = `${view.title(state.route)} · gatehouse`;
  const sameView = before.view === state.route.view && before.rest === state.route.rest;
  if (sameView && state.data !== undefined) state.data = { ...state.data, route: routeKey() };
  headingAwaited = !sameView;
  show();
  void read();
  if (before.view !== state.route.view) window.scrollTo(0, 0);
}

root.replaceChildren();
window.addEventListener('hashchange', routeChanged);
window.addEventListener('resize', show);

const stream = follow('/debug/events', {
  status: (status) => {
    state.status = status;
    show();
    if (!document.hidden) void read();
  },
  changed: (live) => {
    const returned = state.live.state === 'broken' && live.state === 'open';
    state.live = live;
    show();
    if (returned) void read();
  },
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void read();
});
// Ages and the time of the next attempt move while nothing happens.
setInterval(() => {
  if (!document.hidden) show();
}, 1_000);

routeChanged();
