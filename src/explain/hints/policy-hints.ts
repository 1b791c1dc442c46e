import { quoted } from '../../json/quoted.ts';
import type { MCPAuthPolicy, PolicyRule } from '../../resources/model.ts';
import type { ExplainInputs, Finding, Place } from '../model.ts';
import { ruleNameOf } from '../names.ts';
import { keysOf, type nearestName } from '../nearest.ts';
import { isServed, notAllowed, unknownTarget } from '../targets.ts';

/** What the hints of all policies share. */
export interface PolicyHintContext {
  /** Finds a near name; may stop doing so, when it was asked too often. */
  readonly nearest: typeof nearestName;
  /** Receives the Gateways that policies name. */
  readonly named: Set<string>;
  /** Receives what was said of Services, which several policies may name. */
  readonly said: Set<string>;
}

type Path = Place['path'];

/** Yields what the author of a policy probably did not mean, and undefined after each rule. */
export function* policyHints(
  inputs: ExplainInputs,
  key: string,
  context: PolicyHintContext,
): Generator<Finding | undefined> {
  const policy = inputs.resources.MCPAuthPolicy.get(key);
  if (policy === undefined) return;
  const hint = (path: Path, message: string): Finding => ({
    severity: 'warning',
    from: 'hint',
    at: { kind: 'MCPAuthPolicy', key, path },
    message,
  });
  const gateways = yield* referenceHints(inputs, policy, context, hint);
  if (!policy.rules.ok) return;
  const told = new Set<string>();
  for (const [position, rule] of policy.rules.value.entries()) {
    yield undefined;
    if (!rule.ok) continue;
    const path = ['spec', 'rules', position];
    yield* spellingHints(rule.value, path, hint);
    const { name } = rule.value.resource;
    if (name.all || told.has(name.target)) continue;
    told.add(name.target);
    const found = targetHint(inputs, name, rule.value.resource.kind, gateways, context);
    if (found?.at !== undefined) {
      if (!context.said.has(found.message))
        yield { severity: 'warning', from: 'hint', at: found.at, message: found.message };
      context.said.add(found.message);
    } else if (found !== undefined) yield hint([...path, 'resource', 'name'], found.message);
  }
}

type HintOf = (path: Path, message: string) => Finding;

/** Yields hints about references to Gateways; returns the served ones. */
function* referenceHints(
  inputs: ExplainInputs,
  { metadata: { namespace }, targetRefs }: MCPAuthPolicy,
  { nearest, named }: PolicyHintContext,
  hint: HintOf,
): Generator<Finding, readonly string[]> {
  const served: string[] = [];
  for (const [position, ref] of targetRefs.entries()) {
    if (!ref.ok || !isGatewayRef(ref.value)) continue;
    const { name } = ref.value;
    const gateway = `${namespace}/${name}`;
    const path = ['spec', 'targetRefs', position, 'name'];
    named.add(gateway);
    const state = inputs.translation.gateways.get(gateway);
    if (state?.kind === 'served') served.push(gateway);
    else if (state?.kind === 'foreign') {
      yield hint(
        path,
        `Gateway ${gateway} is not of this controller, so that this policy has no effect: correct the Gateway, or name another.`,
      );
    } else if (inputs.resources.Gateway.get(gateway) === undefined) {
      yield hint(path, missingGateway(inputs, namespace, name, nearest));
    }
  }
  return served;
}

function isGatewayRef({
  group,
  kind,
  sectionName,
}: {
  group: string | undefined;
  kind: string | undefined;
  sectionName: string | undefined;
}): boolean {
  const ofGroup = group === undefined || group === '' || group === 'gateway.networking.k8s.io';
  return ofGroup && (kind === undefined || kind === '' || kind === 'Gateway') && sectionName === undefined;
}

function missingGateway(
  { resources }: ExplainInputs,
  namespace: string,
  name: string,
  nearest: typeof nearestName,
): string {
  const missing = `There is no Gateway ${quoted(name)} in the namespace ${quoted(namespace)}`;
  const prefix = `${namespace}/`;
  const here = [...keysOf(resources.Gateway)].filter((key) => key.startsWith(prefix));
  const near = nearest(`${prefix}${name}`, here);
  if (near !== undefined) return `${missing}: the nearest is ${quoted(near.slice(prefix.length))}.`;
  const elsewhere = [...keysOf(resources.Gateway)].find((key) => key.endsWith(`/${name}`));
  if (elsewhere === undefined) return `${missing}: create it, or correct the name.`;
  const [other = ''] = elsewhere.split('/');
  return `${missing}, but in ${quoted(other)}: a policy names Gateways of its own namespace only. Move it to ${quoted(other)}.`;
}

/** The hint about the target that a rule names. Without `at` it belongs to the rule. */
function targetHint(
  inputs: ExplainInputs,
  { target, item }: Extract<PolicyRule['resource']['name'], { all: false }>,
  kind: PolicyRule['resource']['kind'],
  gateways: readonly string[],
  { nearest }: PolicyHintContext,
): { readonly at: Place | undefined; readonly message: string } | undefined {
  if (target === 'mcp' && item.startsWith('//')) {
    const name = ruleNameOf(`${target}:${item}`);
    const form = `This is the URI that clients see, and no rule matches it: write <target>:<upstream URI>`;
    return { at: undefined, message: name === undefined ? `${form}.` : `${form}, here ${quoted(name)}.` };
  }
  if (kind === 'resource' && !target.includes('/')) {
    const message = `This begins with ${quoted(target)}, which is no target: a rule for a resource has <target>:<upstream URI>.`;
    return { at: undefined, message };
  }
  if (inputs.translation.targets.get(target) === undefined) {
    return isReported(inputs, target) ? undefined : unknownTarget(inputs, target, nearest);
  }
  const [first] = gateways;
  const namespace = target.slice(0, target.indexOf('/'));
  if (first !== undefined && !gateways.some((gateway) => isServed(inputs, gateway, target))) {
    const message = `Gateway ${first} does not serve ${quoted(target)}: ${notAllowed(inputs, first, namespace)}`;
    return { at: undefined, message };
  }
  return shortNameHint(inputs, target);
}

/** Returns whether the Service of a target is reported itself: for the port that would make it, or for what is dropped. */
function isReported({ resources, translation }: ExplainInputs, target: string): boolean {
  if (translation.serviceNotices.get(target.split('/', 2).join('/'))?.dropped.length) return true;
  const service = resources.Service.get(target);
  return service?.mcpPorts.length === 0 && service.otherPorts.some(({ reported }) => reported);
}

/** The short name of a Service with several MCP ports moves to another server when the ports are reordered. */
function shortNameHint(
  { resources }: ExplainInputs,
  target: string,
): { readonly at: undefined; readonly message: string } | undefined {
  const ports = resources.Service.get(target)?.mcpPorts ?? [];
  if (ports.length < 2) return undefined;
  const message = `Service ${target} has ${ports.length} MCP ports, and ${quoted(target)} is the first of them only: a further one is ${quoted(`${target}/<port>`)}.`;
  return { at: undefined, message };
}

/** Blanks at the ends of what is compared exactly, and claims that look nested. */
function* spellingHints({ resource, matches }: PolicyRule, path: Path, hint: HintOf): Generator<Finding> {
  const { name } = resource;
  const item = name.all ? '' : name.item;
  if (item.trim() !== item) {
    yield hint(
      [...path, 'resource', 'name'],
      'There is a blank at an end of this name, which is compared exactly: remove it.',
    );
  }
  for (const [position, match] of matches.entries()) {
    if (!match.ok) continue;
    const { claim, value } = match.value;
    const at = [...path, 'matches', position, 'jwt'];
    const blank = 'There is a blank at an end of this text, which is compared exactly: remove it.';
    if (claim.trim() !== claim) yield hint([...at, 'claim'], blank);
    if (value.trim() !== value) yield hint([...at, 'value'], blank);
    if (looksNested(claim)) {
      const message = `${quoted(claim)} looks like a claim inside of another: only a claim of the token's top level matches, one whose name is all of this. Choose or issue such a claim.`;
      yield hint([...at, 'claim'], message);
    }
  }
}

/** Words with dots between them. Claims in the form of a URL have dots too, and are of the top level. */
function looksNested(claim: string): boolean {
  return claim.includes('.') && !claim.includes('/') && !claim.includes(':');
}
