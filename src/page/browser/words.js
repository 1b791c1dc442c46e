/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

const units = /** @type {const} */ ([
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
]);

/**
 * Writes a duration with its largest unit, and the next one while that is small.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  for (const [index, [size, name]] of units.entries()) {
    if (seconds < size && size > 1) continue;
    const whole = Math.floor(seconds / size);
    const next = units[index + 1];
    const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[0]);
    return rest > 0 && whole < 10 && next !== undefined ? `${whole} ${name} ${rest} ${next[1]}` : `${whole} ${name}`;
  }
  return '0 s';
}

/** @param {number | null} milliseconds */
export function milliseconds(milliseconds) {
  if (milliseconds === null) return '–';
  if (milliseconds < 1) return '< 1 ms';
  return milliseconds < 10_000 ? `${milliseconds.toLocaleString('en')} ms` : duration(milliseconds / 1_000);
}

/**
 * The time of day; with the date when it is not today.
 *
 * @param {string | number} time
 */
export function clockTime(time) {
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  const day = today ? '' : `${date.toLocaleDateString('en-CA')} `;
  return `${day}${date.toLocaleTimeString('en-GB')}`;
}

/** Conditions that report a problem when they are true. */
const negative = new Set(['Conflicted', 'kgateway.dev/PartiallyInvalid', 'kgateway.dev/InternalError']);

/** @type {Readonly<Record<string, readonly [yes: string, no: string]>>} */
const conditionWords = {
  Accepted: ['Accepted', 'Not accepted'],
  Programmed: ['In force', 'Not in force'],
  ResolvedRefs: ['References resolved', 'References not resolved'],
  Conflicted: ['In conflict with another listener', 'No conflict'],
  SupportedVersion: ['Version supported', 'Version not supported'],
  'kgateway.dev/PartiallyInvalid': ['Partly invalid', 'Valid as a whole'],
  'kgateway.dev/MCPAuthPolicyAffected': ['A policy is attached', 'No policy is attached: every call is denied'],
  'kgateway.dev/InternalError': ['Internal error', 'No internal error'],
};

/**
 * A condition in words, and whether it is good.
 *
 * @param {import('./types.d.ts').Told} condition
 * @returns {{ readonly words: string, readonly tone: 'good' | 'bad' | 'warn' | 'calm' }}
 */
export function conditionInWords({ type, status }) {
  const [yes, no] = conditionWords[type] ?? [type, `Not: ${type}`];
  if (status === 'Unknown') return { words: `${yes}: not known yet`, tone: 'warn' };
  const words = status === 'True' ? yes : no;
  if (type === 'kgateway.dev/MCPAuthPolicyAffected') return { words, tone: 'calm' };
  const isProblem = negative.has(type) ? status === 'True' : status === 'False';
  if (negative.has(type)) return { words, tone: isProblem ? 'bad' : 'calm' };
  return { words, tone: isProblem ? 'bad' : 'good' };
}

/**
 * The one sentence that says whether all is well, and what is not.
 *
 * @param {import('./types.d.ts').Status} status
 * @returns {{ readonly tone: 'good' | 'bad' | 'warn' | 'calm', readonly sentence: string, readonly causes: readonly string[] }}
 */
export function verdict({ synced, gateways, nodes, problems }) {
  if (!synced) {
    return { tone: 'warn', sentence: 'Not everything was read yet', causes: ['gateways wait until it is'] };
  }
  const errors = problems?.errors ?? 0;
  const causes = [
    ...(errors > 0 ? [counted(errors, 'error')] : []),
    ...(gateways.rejected > 0 ? [`${counted(gateways.rejected, 'Gateway')} not accepted`] : []),
    ...(nodes.refusing > 0 ? [`${counted(nodes.refusing, 'node')} refusing`] : []),
  ];
  if (causes.length > 0) return { tone: 'bad', sentence: 'Something needs attention', causes };
  if (gateways.total === 0) return { tone: 'calm', sentence: 'Nothing to serve yet', causes: ['there is no Gateway'] };
  const warnings = problems?.warnings ?? 0;
  const hints = warnings > 0 ? [counted(warnings, 'warning')] : [];
  if (nodes.behind > 0) {
    return {
      tone: 'warn',
      sentence: 'A change is on its way',
      causes: [`${counted(nodes.behind, 'node')} behind`, ...hints],
    };
  }
  return {
    tone: warnings > 0 ? 'warn' : 'good',
    sentence: warnings > 0 ? 'All is served, with remarks' : 'All is well',
    causes: hints,
  };
}

/** @type {Readonly<Record<import('./types.d.ts').SyncState, { readonly words: string, readonly tone: 'good' | 'bad' | 'warn' }>>} */
export const syncWords = {
  'in-sync': { words: 'in sync', tone: 'good' },
  behind: { words: 'behind', tone: 'warn' },
  refusing: { words: 'refusing', tone: 'bad' },
};

/**
 * The last part of a type URL.
 *
 * @param {string} typeUrl
 */
export function shortType(typeUrl) {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}
