import type { Failure } from '../../graph/model.ts';
import type { Identity } from '../../resources/model.ts';
import type { Condition } from '../model.ts';

/** Writes the conditions of one object. */
export type Say = (type: string, status: Condition['status'], reason: string, message: string) => Condition;

/** `observedGeneration` is on every condition as soon as the object has a generation (files have none). */
export function conditionsOf({ generation }: Identity): Say {
  return (type, status, reason, message) => {
    const condition = { type, status, reason, message: shortened(message) };
    return generation === undefined ? condition : { ...condition, observedGeneration: generation };
  };
}

/** Says that a transformation of ours threw; present only then. What it computes is not served. */
export function internalError(say: Say, { collection, error }: Failure): Condition {
  const message = `Computing "${collection}" failed, so nothing that follows from it is served: ${error.message}. This is a bug of gatehouse, please report it.`;
  return say('kgateway.dev/InternalError', 'True', 'TransformationFailed', message);
}

/** `a, b and 3 more`: the names in their order, as many as people read. */
export function enumerate(names: readonly string[]): string {
  const shown = names.slice(0, mostNames).join(', ');
  const hidden = names.length - mostNames;
  return hidden > 0 ? `${shown} and ${hidden} more` : shown;
}

/** Sentences in one message, as many as people read. */
export function recount(sentences: readonly string[]): string {
  const shown = sentences.slice(0, mostNames).map(asSentence).join(' ');
  const hidden = sentences.length - mostNames;
  return hidden > 0 ? `${shown} And ${hidden} more.` : shown;
}

/** What a user wrote, so that it stays on its line and says where it begins and ends. */
export function quote(text: string): string {
  return JSON.stringify(text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text);
}

const mostNames = 20;
const longestQuote = 100;

/** The limit of `metav1.Condition`: the API server refuses the whole status for one longer message. */
const longestMessage = 32_768;

function shortened(message: string): string {
  if (message.length <= longestMessage) return message;
  return `${message.slice(0, longestMessage - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
