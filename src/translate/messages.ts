import { shortened } from '../json/quoted.ts';

/** Joins names for a message: `a, b and 3 more`. Shows at most 20. */
export function joinNames(names: readonly string[]): string {
  const shown = names.slice(0, mostShown).map(shortened).join(', ');
  const hidden = names.length - mostShown;
  return hidden > 0 ? `${shown} and ${hidden} more` : shown;
}

/** Joins sentences to one message, each with a full stop. Shows at most 20. */
export function joinSentences(sentences: readonly string[]): string {
  const shown = sentences.slice(0, mostShown).map(asSentence).join(' ');
  const hidden = sentences.length - mostShown;
  return hidden > 0 ? `${shown} And ${hidden} more.` : shown;
}

const mostShown = 20;

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
