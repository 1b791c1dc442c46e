import { type Decoder, defaulted, optional } from '../decode/decoder.ts';
import { LABEL_KEY, LABEL_VALUE } from '../decode/formats.ts';
import { list } from '../decode/list.ts';
import { type Entry, entries, narrowing } from '../decode/mapping.ts';
import type { Report } from '../decode/reporter.ts';
import { oneOf, text } from '../decode/scalars.ts';
import type { LabelRequirement, LabelSelector, Part, Path } from '../model.ts';
import { firstFault, ok } from '../part.ts';

/**
 * A selector whose shape is understood. A label or expression in it that is not is a fault of `selector`: then it
 * selects nothing. An unknown field or operator, or a part of the wrong shape, is a fault of the whole.
 */
export const labelSelector: Decoder<{ readonly selector: Part<LabelSelector> }> = (value, at, report) => {
  const block = selectorBlock(value, at, report);
  if (!block.ok) return block;
  const { matchLabels, matchExpressions } = block.value.fields;
  const unknown = block.value.unknown[0];
  if (unknown) return unknown;
  if (!matchLabels.ok) return matchLabels;
  if (!matchExpressions.ok) return matchExpressions;
  const unsupported = firstFault(matchExpressions.value);
  if (unsupported) return unsupported;
  const expressions = matchExpressions.value.flatMap((part) => (part.ok ? [part.value] : []));
  return ok({ selector: selectorOf([...matchLabels.value.map(equality), ...expressions]) });
};

/** An expression whose operator is known; what else is wrong with it is a fault of the requirement. */
const expression: Decoder<Part<LabelRequirement>> = (value, at, report) => {
  const block = expressionBlock(value, at, report);
  if (!block.ok) return ok(block);
  const { key, operator, values } = block.value.fields;
  const unknown = block.value.unknown[0];
  if (unknown) return unknown;
  if (!operator.ok) return operator;
  if (!key.ok) return ok(key);
  if (!values.ok) return ok(values);
  const fault = firstFault(values.value ?? []);
  if (fault) return ok(fault);
  const texts = (values.value ?? []).flatMap((part) => (part.ok ? [part.value] : []));
  return ok(requirement(operator.value, key.value, texts, [...at, 'values'], report));
};

const expressionBlock = narrowing({
  key: text(LABEL_KEY),
  operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: optional(list(text(LABEL_VALUE))),
});

const selectorBlock = narrowing({
  matchLabels: defaulted(entries(LABEL_KEY, text(LABEL_VALUE)), []),
  matchExpressions: defaulted(list(expression), []),
});

function requirement(
  operator: LabelRequirement['operator'],
  key: string,
  texts: readonly string[],
  at: Path,
  report: Report,
): Part<LabelRequirement> {
  const [first, ...rest] = [...new Set(texts)].sort();
  if (operator === 'Exists' || operator === 'DoesNotExist') {
    return first === undefined ? ok({ operator, key }) : report.error(at, `is not for ${operator}: remove it.`);
  }
  if (first === undefined) return report.error(at, `is empty: ${operator} needs at least one value.`);
  return ok({ operator, key, values: [first, ...rest] });
}

function equality({ key, value }: Entry<string>): Part<LabelRequirement> {
  return value.ok ? ok({ operator: 'In', key, values: [value.value] }) : value;
}

function selectorOf(parts: readonly Part<LabelRequirement>[]): Part<LabelSelector> {
  const fault = firstFault(parts);
  if (fault) return fault;
  const bySpelling = new Map<string, LabelRequirement>();
  for (const part of parts) {
    if (part.ok) bySpelling.set(spelling(part.value), part.value);
  }
  return ok({ requirements: [...bySpelling].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, known]) => known) });
}

/** Unlike for unlike requirements: neither keys nor values contain a space. */
function spelling(known: LabelRequirement): string {
  return [known.key, known.operator, ...('values' in known ? known.values : [])].join(' ');
}
