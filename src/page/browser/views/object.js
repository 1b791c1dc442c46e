import { html, nothing } from 'lit-html';
import { withQuery } from '../api.js';
import { conditionInWords, counted, shortType } from '../words.js';
import { grantTable } from './answer.js';
import { badge, gatewayHref } from './parts.js';

/** One object: as it is written, what became of it, and who may call what because of it. */
export const object = /** @type {import('../main.js').View} */ ({
  title: ({ rest }) => rest.slice(rest.indexOf('/') + 1),
  read: ({ rest }, get) => {
    const cut = rest.indexOf('/');
    return get(withQuery('/debug/object', { kind: rest.slice(0, cut), key: rest.slice(cut + 1) }));
  },
  show: (/** @type {import('../types.d.ts').ObjectDetail} */ detail) => {
    const { kind, key, place, manifest, conditions, wire, gateways } = detail;
    return html`<article class="object">
      <p class="kind">${kind}</p>
      <h2 tabindex="-1">${key}</h2>
      <p class="note">${place === null ? nothing : html`<span class="mono">${place}</span>`}${kind === 'Gateway' ? html` <a href=${gatewayHref(key)}>its picture</a>` : nothing}</p>
      ${conditions.length === 0 ? nothing : html`<section aria-labelledby="conditions"><h3 id="conditions">What became of it</h3><ul class="conditions">${conditions.map(condition)}</ul></section>`}
      ${gateways.length === 0 || kind === 'Gateway' ? nothing : html`<section aria-labelledby="counts-on"><h3 id="counts-on">Counts on</h3><ul class="chips">${gateways.map((gateway) => html`<li><a href=${gatewayHref(gateway)}>${gateway}</a></li>`)}</ul></section>`}
      ${whoMay(detail)}
      ${wire.length === 0 ? nothing : html`<section aria-labelledby="wire"><h3 id="wire">On the wire</h3>${wire.map(wireForm)}</section>`}
      <section aria-labelledby="written"><h3 id="written">As it is written</h3>
        ${manifest === null ? html`<p class="none">It cannot be read now.</p>` : html`<pre tabindex="0" aria-label="YAML"><code>${manifest}</code></pre>`}
      </section>
    </article>`;
  },
});

/** @param {import('../types.d.ts').Told} told */
function condition(told) {
  const { words, tone } = conditionInWords(told);
  const { of, reason, message } = told;
  return html`<li>${badge(tone, words)} ${of === null ? nothing : html`<span class="of">${of}</span>`}
    <p>${message || reason} ${message ? html`<span class="reason">${reason}</span>` : nothing}</p></li>`;
}

/** @param {import('../types.d.ts').ObjectDetail} detail */
function whoMay({ kind, grants, gateways }) {
  if (!['Gateway', 'Service', 'MCPAuthPolicy'].includes(kind)) return nothing;
  const omitted = grants.total - grants.items.length;
  return html`<section aria-labelledby="who-may"><h3 id="who-may">Who may call what</h3>
    ${grants.items.length === 0 ? html`<p class="none">${gateways.length === 0 ? 'It counts on no Gateway, so that it allows nobody anything.' : 'Nobody may use anything: no rule allows it.'}</p>` : grantTable(grants.items, { withGateway: kind !== 'Gateway' })}
    ${omitted > 0 ? html`<p class="note">and ${counted(omitted, 'further rule')}</p>` : nothing}
  </section>`;
}

/** @param {import('../types.d.ts').ObjectDetail['wire'][number]} form */
function wireForm({ dialect, typeUrl, name, version, resource }) {
  return html`<details class="wire">
    <summary><span class="mono">${name}</span> <span class="small">${shortType(typeUrl)} of ${dialect}, version ${version.slice(0, 8)}</span></summary>
    <p class="small mono">${typeUrl}</p>
    <pre tabindex="0" aria-label="Resource ${name} as JSON"><code>${JSON.stringify(resource, null, 2)}</code></pre>
  </details>`;
}
