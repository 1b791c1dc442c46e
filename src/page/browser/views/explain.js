import { html, nothing } from 'lit-html';
import { ApiError, ask, withQuery } from '../api.js';
import { answerView } from './answer.js';

/** Gateways that the field suggests; others can be typed. */
const suggested = 100;

/** Asks who may call what, and why not. */
export const explain = /** @type {import('../main.js').View} */ ({
  title: () => 'Explain',
  read: (_, get) => get(withQuery('/debug/graph', { limit: suggested })),
  show: ({ items }, { asked, route }, app) => {
    const form = asked?.form ?? Object.fromEntries(route.query);
    const gateway = form['gateway'] ?? items[0]?.gateway ?? '';
    return html`<section class="explain" aria-labelledby="explain-title">
      <h2 id="explain-title" tabindex="-1">Who may call what, and why not</h2>
      <p class="note">Decides as the gateways do. Leave out the name to see all that a caller may use; leave out the caller to see who may.</p>
      <form @submit=${(/** @type {SubmitEvent} */ event) => submit(event, app)}>
        <label class="wide">Gateway <input name="gateway" list="gateways" required autocomplete="off" spellcheck="false" .value=${gateway}></label>
        <datalist id="gateways">${items.map((/** @type {{ gateway: string }} */ row) => html`<option value=${row.gateway}></option>`)}</datalist>
        <label class="wide">Caller: the claims as JSON, or a token <textarea name="caller" rows="4" spellcheck="false" placeholder='{"sub": "me"}' aria-describedby="caller-note" .value=${form['caller'] ?? ''}></textarea></label>
        <p class="note wide" id="caller-note">A token is decoded in this page and not sent: only its claims are. Its signature is not verified.</p>
        <label>Kind <select name="kind" .value=${form['kind'] ?? 'tool'}><option>tool</option><option>prompt</option><option>resource</option></select></label>
        <label class="grow">Name <input name="name" autocomplete="off" spellcheck="false" placeholder="namespace/service:tool" .value=${form['name'] ?? ''}></label>
        <button type="submit" class="primary">Explain</button>
      </form>
      <div class="answer" role="status">${asked?.error === undefined ? nothing : html`<p class="alert">${asked.error}</p>`}${asked?.answer === undefined ? nothing : answerView(asked.answer)}</div>
    </section>`;
  },
});

/**
 * @param {SubmitEvent} event
 * @param {import('../main.js').App} app
 */
async function submit(event, app) {
  event.preventDefault();
  if (!(event.target instanceof HTMLFormElement)) return;
  /** @type {Record<string, string>} */
  const form = {};
  for (const [name, value] of new FormData(event.target)) form[name] = String(value).trim();
  try {
    const question = {
      gateway: form['gateway'],
      ...(form['caller'] && { claims: claimsOf(form['caller']) }),
      ...(form['name'] && { request: { kind: form['kind'], name: form['name'] } }),
    };
    const answer = await ask('/debug/explain', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(question),
    });
    app.setAsked({ form, answer });
  } catch (error) {
    app.setAsked({ form, error: error instanceof ApiError ? error.message : String(error) });
  }
}

/**
 * Reads claims, or those of a token.
 *
 * @param {string} text
 */
function claimsOf(text) {
  const token = text.replace(/^Bearer\s+/i, '').split('.');
  if (!text.startsWith('{') && token.length === 3) {
    const claims = parseObject(base64Text(token[1] ?? ''));
    if (claims === undefined) throw new ApiError('This is no token: the second of its three parts is no JSON object.');
    return claims;
  }
  const claims = parseObject(text);
  if (claims === undefined)
    throw new ApiError(
      'The claims are no JSON object, such as {"sub": "me"}, and no token of three parts with dots between them.',
    );
  return claims;
}

/** @param {string} text */
function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} part base64url */
function base64Text(part) {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
      character.charCodeAt(0),
    );
    return new TextDecoder().decode(bytes);
  } catch {
    return '';
  }
}
