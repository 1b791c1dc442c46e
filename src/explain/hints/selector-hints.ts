import { quoted } from '../../json/quoted.ts';
import type { Gateway, LabelRequirement, LabelSelector } from '../../resources/model.ts';
import type { NamespaceScope } from '../../translate/model.ts';
import { compileSelector, evaluateListeners, matches, unmetRequirements } from '../../translate/translate.ts';
import type { Finding, Place } from '../model.ts';
import { nearestName } from '../nearest.ts';
import { wanted } from '../targets.ts';

type Labels = ReadonlyMap<string, string>;

/** A label that keeps a Namespace from being selected, and is probably misspelt. */
interface MisspeltLabel {
  readonly namespace: string;
  readonly key: string;
  readonly value: string;
  /** The label that the selector wants. */
  readonly meant: string;
}

/** The evaluation of one selector over all namespaces that have targets. */
export interface SelectorResult {
  readonly selectsAny: boolean;
  readonly misspelt: readonly MisspeltLabel[];
}

/** What the hints about selectors are computed from. */
export interface SelectorContext {
  /** The labels of each namespace that has targets and known labels. */
  readonly labelled: ReadonlyMap<string, Labels>;
  /** By selector: Gateways often have equal ones. */
  readonly evaluated: Map<string, SelectorResult>;
}

/**
 * Hints about the selectors of the listeners of a Gateway: namespaces that they would select if a label were spelt in
 * another way, and selectors that select none of the namespaces with targets. Yields undefined after each step.
 */
export function* selectorHints(
  gateway: string,
  { listeners }: Gateway,
  scope: NamespaceScope,
  context: SelectorContext,
): Generator<Finding | undefined> {
  const [first] = context.labelled;
  // Every namespace is allowed, whatever the selectors of other listeners say.
  if (first === undefined || scope.kind === 'all') return;
  const allowed = new Set(scope.kind === 'namespaces' ? scope.namespaces : []);
  for (const [position, { name = '', outcome }] of evaluateListeners(listeners).entries()) {
    if (!outcome.accepted || outcome.namespaces.from !== 'Selector') continue;
    const { selector } = outcome.namespaces;
    if (selector === undefined) continue;
    const { selectsAny, misspelt } = yield* evaluate(selector, context);
    for (const { namespace, key, value, meant } of misspelt) {
      if (allowed.has(namespace)) continue;
      const at: Place = { kind: 'Namespace', key: namespace, path: ['metadata', 'labels', key] };
      const message = `The listener ${quoted(name)} of Gateway ${gateway} does not select this Namespace, which has targets: its label is ${quoted(`${key}=${value}`)}. Write ${quoted(meant)}, if it is to be selected.`;
      yield { severity: 'warning', from: 'hint', at, message };
    }
    if (selectsAny || misspelt.length > 0) continue;
    const path = ['spec', 'listeners', position, 'allowedRoutes', 'namespaces', 'selector'];
    yield {
      severity: 'warning',
      from: 'hint',
      at: { kind: 'Gateway', key: gateway, path },
      message: nothing(selector, first),
    };
  }
}

function nothing(selector: LabelSelector, [namespace, labels]: readonly [string, Labels]): string {
  const unmet = unmetRequirements(selector, labels);
  const clauses = unmet.map((requirement) => wanted(requirement, labels)).join(' and ');
  return `This selector selects no namespace that has a target: it would select ${quoted(namespace)} if that Namespace ${clauses}. Label the Namespace, or correct the selector.`;
}

function* evaluate(
  selector: LabelSelector,
  { labelled, evaluated }: SelectorContext,
): Generator<undefined, SelectorResult> {
  const key = JSON.stringify(selector.requirements);
  const known = evaluated.get(key);
  if (known !== undefined) return known;
  const compiled = compileSelector(selector);
  let selectsAny = false;
  const misspelt: MisspeltLabel[] = [];
  for (const [namespace, labels] of labelled) {
    yield undefined;
    if (matches(compiled, labels)) selectsAny = true;
    else misspelt.push(...misspeltLabels(selector, namespace, labels));
  }
  const result = { selectsAny, misspelt };
  evaluated.set(key, result);
  return result;
}

/** The label that alone keeps a Namespace from being selected, when it is nearly the wanted one. */
function misspeltLabels(selector: LabelSelector, namespace: string, labels: Labels): readonly MisspeltLabel[] {
  const [unmet, ...more] = unmetRequirements(selector, labels);
  if (unmet === undefined || more.length > 0) return [];
  const found = misspelling(unmet, labels);
  return found === undefined ? [] : [{ namespace, ...found }];
}

/** Keys shorter than this are near many others. */
const shortestKey = 4;

/** A value in another letter case, or the wanted value under a key that differs in two letters at most. */
function misspelling(requirement: LabelRequirement, labels: Labels): Omit<MisspeltLabel, 'namespace'> | undefined {
  if (requirement.operator !== 'In') return undefined;
  const { key, values } = requirement;
  const value = labels.get(key);
  if (value !== undefined) {
    const meant = values.find((one) => one.toLowerCase() === value.toLowerCase());
    return meant === undefined ? undefined : { key, value, meant: `${key}=${meant}` };
  }
  const holding = [...labels].filter(([, one]) => values.includes(one)).map(([other]) => other);
  const near = key.length < shortestKey ? undefined : nearestName(key, holding);
  return near === undefined
    ? undefined
    : { key: near, value: labels.get(near) ?? '', meant: `${key}=${labels.get(near)}` };
}
