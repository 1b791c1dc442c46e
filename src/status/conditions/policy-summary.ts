import { asJsonObject, type JsonObject, objectsOf } from '../../json/json.ts';
import { quoted, shortened } from '../../json/quoted.ts';

/** Characters of a field of the summary, which the CRD limits to twice as many. */
const maxText = 1_024;

/** Gateways that are named; the others are counted. */
const mostNames = 3;

/** What one entry of `status.ancestors` says of its Gateway. */
interface Verdict {
  readonly gateway: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/**
 * Returns `status.summary`, the columns of `kubectl get`: a column that reads a list shows its first entry alone, and so
 * would say of a policy for three Gateways what holds for one. What is not accepted comes first.
 *
 * @param ancestors all entries, also those of other controllers: two controllers that write to one policy agree on the
 * summary, and neither corrects the other without end. So a change of another controller's entry causes a write, with the
 * backoff of all writes
 */
export function policySummary(ancestors: readonly JsonObject[]): JsonObject {
  const verdicts = ancestors.map(verdictOf);
  const rejected = verdicts.filter(({ status }) => status !== 'True');
  const reasons = new Set((rejected.length === 0 ? verdicts : rejected).map(({ reason }) => reason));
  return {
    gateways: cut(namesOf(verdicts)),
    accepted: acceptance(verdicts, rejected),
    reason: cut([...reasons].join(', ')),
    message: cut(messageOf([...rejected, ...verdicts.filter(({ status }) => status === 'True')])),
  };
}

/** `True` and `False` mean all of the Gateways. */
function acceptance([first, ...others]: readonly Verdict[], rejected: readonly Verdict[]): string {
  const all = 1 + others.length;
  if (others.length === 0) return first?.status ?? 'Unknown';
  if (rejected.length === 0) return 'True';
  if (rejected.length === all && rejected.every(({ status }) => status === 'False')) return 'False';
  return `${all - rejected.length} of ${all}`;
}

/** The message, if it is that of all Gateways; otherwise each one behind the names of its Gateways. */
function messageOf(verdicts: readonly Verdict[]): string {
  const byMessage = Map.groupBy(verdicts, ({ message }) => message);
  if (byMessage.size === 1) return verdicts[0]?.message ?? '';
  return Array.from(byMessage, ([message, same]) => `${namesOf(same)}: ${message}`).join(' ');
}

function namesOf(verdicts: readonly Verdict[]): string {
  const names = verdicts.map(({ gateway }) => gateway);
  const more = names.length - mostNames;
  return more > 0 ? `${names.slice(0, mostNames).join(', ')} and ${more} more` : names.join(', ');
}

function verdictOf({ ancestorRef, conditions }: JsonObject): Verdict {
  const { name } = asJsonObject(ancestorRef);
  const { status, reason, message } = objectsOf(conditions).find(({ type }) => type === 'Accepted') ?? {};
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    gateway: /^[a-z0-9.-]{1,253}$/.test(text(name)) ? text(name) : quoted(text(name)),
    status: status === 'True' || status === 'False' ? status : 'Unknown',
    reason: shortened(text(reason)),
    message: text(message),
  };
}

/** The API server replaces a lone surrogate, and what is stored would always differ from what is desired. */
function cut(text: string): string {
  return (text.length <= maxText ? text : `${text.slice(0, maxText)}…`).toWellFormed();
}
