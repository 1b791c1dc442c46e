import { quoted } from '../../json/quoted.ts';
import type { Frame } from './kind.ts';
import { isNear, nearest, type Reporter } from './reporter.ts';

/** The annotations that mean something on one kind. */
export interface OwnAnnotations {
  readonly known: readonly string[];
  /** Other keys that begin like this were meant for this program too. */
  readonly prefix: string;
}

/** Letters of a key that may differ from a known one. */
const mostDifferences = 2;

/**
 * Warns of the first annotation that was probably meant for this program and has no effect: its key begins as ours do, or
 * is nearly one of them. Returns the message.
 */
export function warnOfUnknownAnnotation(
  annotations: Frame['annotations'],
  { known, prefix }: OwnAnnotations,
  reporter: Reporter,
): string | undefined {
  if (!annotations.ok) return undefined;
  const unknown = annotations.value.filter(
    ({ key }) =>
      !known.includes(key) && (key.startsWith(prefix) || known.some((name) => isNear(key, name, mostDifferences))),
  );
  const [first] = unknown;
  if (first === undefined) return undefined;
  const near = quoted(nearest(first.key, known) ?? '');
  const more = unknown.length === 1 ? '' : ` There are ${unknown.length - 1} more like it.`;
  return reporter.warning(
    ['metadata', 'annotations', first.key],
    `has no effect: write ${near}, the nearest known one, or remove it.${more}`,
  );
}
