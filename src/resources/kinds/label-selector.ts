import { type Decoder, firstInvalid, ok, optional, withDefault } from '../decode/decoder.ts';
import { labelKey, labelValue } from '../decode/formats.ts';
import { list } from '../decode/list.ts';
import { type Entry, record, strictMapping } from '../decode/mapping.ts';
import type { Reporter } from '../decode/reporter.ts';
import { oneOf, text } from '../decode/scalars.ts';
import type { LabelRequirement, LabelSelector, Parsed, Path } from '../model.ts';

/** Requirements of one selector, entries of `matchLabels` among them, and values of all of them. */
const most = { requirements: 64, values: 1_000 };

/**
 * Decodes a `metav1.LabelSelector` in two levels. An unknown field or operator, or a wrong type, makes the whole
 * invalid. An invalid label or expression, or too many of
 * them, makes only `selector` invalid: then it selects nothing.
 */
export const labelSelector: Decoder<{ readonly selector: Parsed<LabelSelector> }> = (value, path, reporter) => {
  const block = selectorBlock(value, path, reporter);
  if (!block.ok) return block;
  const { matchLabels, matchExpressions } = block.value.fields;
  const unknown = block.value.unknown[0];
  if (unknown) return unknown;
  if (!matchLabels.ok) return matchLabels;
  if (!matchExpressions.ok) return matchExpressions;
  const unsupported = firstInvalid(matchExpressions.value);
  if (unsupported) return unsupported;
  const expressions = matchExpressions.value.flatMap((expression) => (expression.ok ? [expression.value] : []));
  return ok({ selector: selectorOf([...matchLabels.value.map(equality), ...expressions], path, reporter) });
};

/** Decodes an expression. Invalid for an unknown field or operator; any other error makes the requirement invalid. */
const expression: Decoder<Parsed<LabelRequirement>> = (value, path, reporter) => {
  const block = expressionBlock(value, path, reporter);
  if (!block.ok) return ok(block);
  const { key, operator, values } = block.value.fields;
  const unknown = block.value.unknown[0];
  if (unknown) return unknown;
  if (!operator.ok) return operator;
  if (!key.ok) return ok(key);
  if (!values.ok) return ok(values);
  const invalid = firstInvalid(values.value ?? []);
  if (invalid) return ok(invalid);
  const texts = (values.value ?? []).flatMap((one) => (one.ok ? [one.value] : []));
  return ok(requirement(operator.value, key.value, texts, [...path, 'values'], reporter));
};

const expressionBlock = strictMapping({
  key: text(labelKey),
  operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: optional(list(text(labelValue))),
});

const selectorBlock = strictMapping({
  matchLabels: withDefault(record(labelKey, text(labelValue)), []),
  matchExpressions: withDefault(list(expression), []),
});

function requirement(
  operator: LabelRequirement['operator'],
  key: string,
  values: readonly string[],
  path: Path,
  reporter: Reporter,
): Parsed<LabelRequirement> {
  const [first, ...rest] = [...new Set(values)].sort();
  if (operator === 'Exists' || operator === 'DoesNotExist') {
    return first === undefined ? ok({ operator, key }) : reporter.error(path, `is not for ${operator}: remove it.`);
  }
  if (first === undefined) return reporter.error(path, `is empty: ${operator} needs at least one value.`);
  return ok({ operator, key, values: [first, ...rest] });
}

function equality({ key, value }: Entry<string>): Parsed<LabelRequirement> {
  return value.ok ? ok({ operator: 'In', key, values: [value.value] }) : value;
}

function selectorOf(
  requirements: readonly Parsed<LabelRequirement>[],
  path: Path,
  reporter: Reporter,
): Parsed<LabelSelector> {
  const invalid = firstInvalid(requirements);
  if (invalid) return invalid;
  const tooMany = surplus(requirements);
  if (tooMany !== undefined) return reporter.error(path, tooMany);
  const byText = new Map<string, LabelRequirement>();
  for (const one of requirements) {
    if (one.ok) byText.set(requirementText(one.value), one.value);
  }
  return ok({ requirements: [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one) });
}

/** What a selector has too many of, with the consequence and the remedy. */
function surplus(requirements: readonly Parsed<LabelRequirement>[]): string | undefined {
  const values = requirements.flatMap((one) => (one.ok && 'values' in one.value ? one.value.values : [])).length;
  const found = { requirements: requirements.length, values };
  const what = found.requirements > most.requirements ? 'requirements' : 'values';
  if (found[what] <= most[what]) return undefined;
  return `has ${found[what]} ${what}, more than ${most[what]}, so that it selects nothing: give the namespaces a label of their own, and select that.`;
}

/** Injective: neither keys nor values contain a space. */
function requirementText(one: LabelRequirement): string {
  return [one.key, one.operator, ...('values' in one ? one.values : [])].join(' ');
}
