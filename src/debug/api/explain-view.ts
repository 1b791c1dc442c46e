import type { Clock } from '../../edges.ts';
import { skippedNotes } from '../../explain/explain.ts';
import type { AccessRequest, Answered, Claims, Question } from '../../explain/model.ts';
import type { Collection } from '../../graph/model.ts';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { quoted } from '../../json/quoted.ts';
import { inTurns, type Pause } from '../../rate/turns.ts';
import type { InputDiagnostic } from '../../source/model.ts';
import type { PlacesOf } from '../model.ts';
import { RequestError } from '../routes.ts';

/** The sources of `/debug/explain`. */
export interface ExplainParts {
  /** Yields after each step of the answer. */
  readonly answer: (question: Question) => Generator<undefined, Answered>;
  readonly placesOf: PlacesOf;
  readonly problems: () => readonly InputDiagnostic[];
  /** The objects that were understood, by kind. */
  readonly resources: { readonly MCPAuthPolicy: Pick<Collection<unknown>, 'get'> };
  readonly clock: Clock;
}

const fields = ['gateway', 'request', 'claims'];
const requestFields = ['kind', 'name'];
const requestKinds = ['tool', 'prompt', 'resource'] as const;

/** Characters of a name in a question; those of resources are URIs. */
const maxName = 8_192;

/** The JSON of `POST /debug/explain`: the document of `explain -o json`. @throws RequestError */
export async function explainView(parts: ExplainParts, body: unknown, pause: Pause): Promise<object> {
  const { answer, placesOf, problems, resources, clock } = parts;
  const answered = await inTurns(answer(questionOf(body)), clock, pause);
  const skipped = skippedNotes(problems(), resources.MCPAuthPolicy);
  // What is left out is probably why.
  if (!answered.ok) throw new RequestError(400, [answered.message, ...skipped].join(' '));
  const broken = problems().some(({ severity }) => severity === 'error');
  const notes = broken
    ? ['The input has errors: what is invalid is left out, and what cannot be read counts as it was last.', ...skipped]
    : skipped;
  return { version: 1, ...answered.answerAt(await placesOf(answered.fields)), notes };
}

function questionOf(body: unknown): Question {
  const question = known(body, fields, 'the body');
  return {
    gateway: textOf(question['gateway'], 'gateway'),
    request: requestOf(question['request']),
    claims: claimsOf(question['claims']),
  };
}

function requestOf(value: unknown): AccessRequest | undefined {
  if (value === undefined || value === null) return undefined;
  const request = known(value, requestFields, 'request');
  const kind = requestKinds.find((one) => one === request['kind']);
  if (kind === undefined) throw new RequestError(400, `request.kind is one of ${requestKinds.join(', ')}.`);
  const name = textOf(request['name'], 'request.name');
  if (name === undefined || name === '') throw new RequestError(400, 'request.name is missing: <target>:<name>.');
  return { kind, name };
}

function claimsOf(value: unknown): Claims | undefined {
  if (value === undefined || value === null) return undefined;
  if (isJsonObject(value)) return value;
  throw new RequestError(400, `claims is an object, for example {"sub": "me"}.`);
}

function textOf(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value.length <= maxName) return value;
  throw new RequestError(400, `${field} is a text of at most ${maxName} characters.`);
}

function known(value: unknown, names: readonly string[], what: string): JsonObject {
  if (!isJsonObject(value)) throw new RequestError(400, `${what} is a JSON object with ${names.join(', ')}.`);
  const stray = Object.keys(value).find((name) => !names.includes(name));
  if (stray === undefined) return value;
  throw new RequestError(400, `${what} has no field ${quoted(stray)}: it has ${names.join(', ')}.`);
}
