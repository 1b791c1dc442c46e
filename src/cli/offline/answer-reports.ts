import type { Answer, Claims } from '../../explain/model.ts';
import { quoted } from '../../json/quoted.ts';
import { oneLine, type Style } from './style.ts';
import { table } from './table.ts';

/** What is said of the caller, beside the answer. */
export interface CallerReport {
  readonly notes: readonly string[];
  /** A gateway refuses the token, whatever the rules say. */
  readonly isRefused: boolean;
  /** Those of a decoded token, which the user may not know. */
  readonly claims: Claims | undefined;
}

/** An answer in words. */
export function answerText(answer: Answer, { notes, isRefused, claims }: CallerReport, style: Style): string {
  const lines = claims === undefined ? [] : [`claims: ${oneLine(JSON.stringify(claims))}`];
  lines.push(...notes.map((note) => `note: ${oneLine(note)}`), ...body(answer, isRefused, style));
  return lines.join('\n');
}

/** The document that `docs/operating.md` describes. */
export function answerJson(answer: Answer, notes: readonly string[], claims: Claims | undefined): string {
  return JSON.stringify({ version: 1, ...answer, notes, ...(claims && { claims }) }, undefined, 2);
}

function body(answer: Answer, isRefused: boolean, style: Style): readonly string[] {
  switch (answer.verdict) {
    case 'allowed':
      return [
        `${isRefused ? style.red('allowed by the rules, but the token is refused (see the notes)') : style.green('allowed')}: ${subject(answer)}`,
        `  by ${ruleText(answer.by)}`,
        ...numbered('it would fail nevertheless', answer.remarks, style),
      ];
    case 'denied':
      return [
        `${style.red('denied')}: ${subject(answer)}`,
        ...numbered('what is nearest', answer.reasons, style),
        ...(answer.omitted > 0 ? [`  ... and ${answer.omitted} further near misses`] : []),
      ];
    case 'grants':
      return [...grantLines(answer, style), ...targetLines(answer), ...numbered('the Gateway', answer.remarks, style)];
  }
}

function subject({ request, gateway }: Answer): string {
  return request === undefined
    ? `Gateway ${oneLine(gateway)}`
    : `the ${request.kind} ${quoted(request.name)} on Gateway ${oneLine(gateway)}`;
}

function ruleText(grant: Extract<Answer, { verdict: 'allowed' }>['by']): string {
  const place = grant.place === undefined ? '' : ` (${oneLine(grant.place)})`;
  const { policy, rule, match, claim, value } = grant;
  return `MCPAuthPolicy ${oneLine(policy)} spec.rules[${rule}].matches[${match}]${place}: ${quoted(claim)} is ${quoted(value)}`;
}

function numbered(
  title: string,
  reasons: Extract<Answer, { verdict: 'denied' }>['reasons'],
  style: Style,
): readonly string[] {
  if (reasons.length === 0) return [];
  const lines = reasons.map(({ at, place, message }, position) => {
    const where = place === undefined ? '' : `${style.bold(oneLine(place))}: `;
    const object = at === undefined || message.includes(at.key) ? '' : `${at.kind} ${oneLine(at.key)}: `;
    return `  ${position + 1}. ${where}${object}${oneLine(message)}`;
  });
  return [`${title}:`, ...lines];
}

/** The rules as a table, ordered by target, kind and name. */
function grantLines(
  { grants, omitted, of, request, gateway }: Extract<Answer, { verdict: 'grants' }>,
  style: Style,
): readonly string[] {
  const what = request === undefined ? 'anything' : `the ${request.kind} ${quoted(request.name)}`;
  if (grants.length === 0) {
    const who = of === 'caller' ? 'this caller may use nothing' : `nobody may use ${what}`;
    const why = of === 'caller' ? ['  ask about one thing to see why: --tool, --prompt or --resource'] : [];
    return [`${style.red('denied')}: ${who} on Gateway ${oneLine(gateway)}`, ...why];
  }
  const rows = grants.map(({ kind, name, served, claim, value, policy, rule, match, place }) => {
    // The target of a rule ends at the first colon.
    const colon = name.indexOf(':');
    return [
      name === '*' ? '*' : oneLine(name.slice(0, colon)),
      kind,
      name === '*' ? '*' : oneLine(name.slice(colon + 1)),
      served ? 'yes' : 'no',
      `${oneLine(claim)} is ${quoted(value)}`,
      `${oneLine(policy)} spec.rules[${rule}].matches[${match}]`,
      place === undefined ? '' : oneLine(place),
    ];
  });
  const sorted = rows.toSorted((a, b) => compare(a.slice(0, 3).join('\n'), b.slice(0, 3).join('\n')));
  const header = ['TARGET', 'KIND', 'NAME', 'SERVED', 'WHO', 'BY POLICY', 'PLACE'];
  const [first = '', ...lines] = table([header, ...sorted]);
  const more = omitted > 0 ? [`... and ${omitted} further rules: ask for one name or caller`] : [];
  return [style.bold(first), ...lines, ...more];
}

/** Targets that are listed; `-o json` has all. */
const mostTargets = 20;

/** What a `*` stands for. */
function targetLines({ grants, targets }: Extract<Answer, { verdict: 'grants' }>): readonly string[] {
  if (!grants.some(({ name }) => name === '*')) return [];
  const more = targets.length > mostTargets ? `, and ${targets.length - mostTargets} more` : '';
  const names = targets.length === 0 ? 'none' : targets.slice(0, mostTargets).map(oneLine).join(', ');
  return [`* is everything behind every target of the Gateway: ${names}${more}`];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
