import { html, nothing } from 'lit-html';
import { clockTime, counted, milliseconds, shortType } from '../words.js';
import { badge, listPath, objectLink, pager } from './parts.js';

const limit = 25;

/** Objects that a row names. */
const mostNamed = 4;

/** The last commits, and how each reached the nodes. */
export const changes = /** @type {import('../main.js').View} */ ({
  title: () => 'Changes',
  read: ({ query }, get) => get(listPath('/debug/changes', query, { limit })),
  show: (list, _, app) => html`<section aria-labelledby="changes-title">
    <h2 id="changes-title" tabindex="-1">Changes</h2>
    <p class="note">The last 200, newest first. Nodes that were sent a change have it when they acknowledged it.</p>
    ${list.items.length === 0 ? html`<p class="none">Nothing was read yet.</p>` : html`<ol class="changes" reversed>${list.items.map(changeRow)}</ol>`}
    ${pager(list, 'changes', (offset) => app.setQuery({ offset: String(offset) }))}
  </section>`,
});

/** @param {import('../types.d.ts').Change} change */
function changeRow(change) {
  const { epoch, at, cause, objects, total, encoded, encodeMilliseconds, nacks } = change;
  const sent = Object.entries(encoded);
  return html`<li>
    <p class="when"><time datetime=${at}>${clockTime(at)}</time> <span class="small">commit ${epoch}</span></p>
    <div class="what">
      <p>${cause === 'start' ? 'First read: ' : nothing}${objects
        .slice(0, mostNamed)
        .map(
          ({ kind, key, change }) =>
            html`<span class="changed">${kind} ${change === 'deleted' ? html`<s>${key}</s> <span class="small">deleted</span>` : objectLink(kind, key)}</span>`,
        )}${total > mostNamed ? html`<span class="small">and ${(total - Math.min(mostNamed, objects.length)).toLocaleString('en')} more</span>` : nothing}${total === 0 ? 'what is known about the input' : nothing}</p>
      <p class="small">${sent.length === 0 ? 'nothing to send' : `encoded ${sent.map(([type, count]) => counted(count, shortType(type))).join(', ')} in ${milliseconds(encodeMilliseconds)}`}</p>
    </div>
    <div class="reached">${reached(change)}${nacks > 0 ? badge('bad', `${nacks} refused`) : nothing}</div>
  </li>`;
}

/** @param {import('../types.d.ts').Change} change */
function reached({ pushes, pushMilliseconds, acks, ackMilliseconds }) {
  if (pushes === 0) return html`<span class="small">no node was sent anything</span>`;
  return html`<svg class="spread" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="8"></rect><rect class="done" width=${(100 * acks) / pushes} height="8"></rect></svg>
    <p class="small">${acks} of ${counted(pushes, 'response')} acknowledged</p>
    <p class="small">sent in ${milliseconds(pushMilliseconds)}, acknowledged in ${milliseconds(ackMilliseconds)}</p>`;
}
