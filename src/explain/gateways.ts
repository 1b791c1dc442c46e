import { quoted } from '../json/quoted.ts';
import type { Gateway } from '../resources/model.ts';
import type { ExplainInputs, Place, Reason } from './model.ts';
import { keysOf, nearestName } from './nearest.ts';

/** The keys of the Gateways of ours, accepted or not, sorted. */
export function ownGateways({ translation }: ExplainInputs): readonly string[] {
  return [...translation.gateways.entries()].flatMap(([key, { kind }]) => (kind === 'foreign' ? [] : [key])).sort();
}

/** The keys of the other Gateways, sorted. */
export function foreignGateways({ translation }: ExplainInputs): readonly string[] {
  return [...translation.gateways.entries()].flatMap(([key, { kind }]) => (kind === 'foreign' ? [key] : [])).sort();
}

/** Why a Gateway is not served; undefined for a served one with an accepted listener. */
export function gatewayReason(inputs: ExplainInputs, key: string): Reason | undefined {
  const gateway = inputs.resources.Gateway.get(key);
  if (gateway === undefined) return { code: 'gateway-unknown', at: undefined, message: unknownGateway(inputs, key) };
  const at: Place = { kind: 'Gateway', key, path: ['spec', 'gatewayClassName'] };
  const state = inputs.translation.gateways.get(key);
  if (state?.kind === 'foreign') return { code: 'gateway-foreign', ...foreignGateway(inputs, key, gateway) };
  const message = inputs.translation.gatewayStatuses
    .get(key)
    ?.conditions.find(({ type, status }) => type === 'Accepted' && status !== 'True')?.message;
  if (message === undefined) return undefined;
  const code = 'gateway-not-accepted';
  if (state?.kind !== 'served') return { code, at, message: `Gateway ${key} is not accepted: ${message}` };
  const path = ['spec', 'listeners'];
  return { code, at: { ...at, path }, message: `Gateway ${key} serves no targets: ${message}` };
}

function unknownGateway(inputs: ExplainInputs, key: string): string {
  const near = nearestGateway(inputs, key);
  const known = ownGateways(inputs);
  const hint =
    near === undefined
      ? known[0] === undefined
        ? 'There is none.'
        : `There is ${listed(known)}.`
      : `The nearest is ${near}.`;
  return `There is no Gateway ${quoted(key)}. ${hint}`;
}

/** The nearest Gateway by name: the same name in another namespace first. */
function nearestGateway({ resources }: ExplainInputs, key: string): string | undefined {
  const name = key.slice(key.indexOf('/') + 1);
  const keys = [...keysOf(resources.Gateway)].sort();
  return keys.find((other) => other.endsWith(`/${name}`)) ?? nearestName(key, keys);
}

/** Why a Gateway belongs to another controller, and the field to correct. */
export function foreignGateway(
  { resources, controllerName }: ExplainInputs,
  key: string,
  gateway: Gateway,
): { readonly at: Place; readonly message: string } {
  const at: Place = { kind: 'Gateway', key, path: ['spec', 'gatewayClassName'] };
  const notOurs = `Gateway ${key} is not served here`;
  if (!gateway.className.ok) return { at, message: `${notOurs}: ${gateway.className.reason}` };
  const name = gateway.className.value;
  const found = resources.GatewayClass.get(name);
  const ours = [...resources.GatewayClass.entries()].flatMap(([other, { controllerName: theirs }]) =>
    theirs.ok && theirs.value === controllerName ? [other] : [],
  );
  if (found === undefined) {
    const near = nearestName(name, [...ours].sort());
    return {
      at,
      message: `${notOurs}: there is no GatewayClass ${quoted(name)}. ${classHint(near, ours, controllerName)}`,
    };
  }
  const theirs = found.controllerName.ok ? quoted(found.controllerName.value) : 'not understood';
  const differs = `${notOurs}: the controllerName of its GatewayClass ${quoted(name)} is ${theirs}, and here it is ${quoted(controllerName)}.`;
  const misspelt = found.controllerName.ok && nearestName(found.controllerName.value, [controllerName]) !== undefined;
  if (!misspelt) return { at, message: `${differs} ${classHint(undefined, ours, controllerName)}` };
  const message = `${differs} Correct it, if it is to be this one.`;
  return { at: { kind: 'GatewayClass', key: name, path: ['spec', 'controllerName'] }, message };
}

function classHint(near: string | undefined, ours: readonly string[], controllerName: string): string {
  if (near !== undefined) return `The nearest class of this controller is ${quoted(near)}.`;
  if (ours.length === 0) return `Write a GatewayClass with "controllerName: ${controllerName}".`;
  return `The classes of this controller are: ${listed([...ours].sort())}.`;
}

/** Whether a Gateway has a listener that only this controller understands. */
export function meansMcp(gateway: Gateway): boolean {
  return gateway.listeners.some(
    (listener) => listener.ok && listener.value.protocol.ok && /mcp/i.test(listener.value.protocol.value),
  );
}

/** Names for a message, ten at most. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostListed).map(quoted).join(', ');
  return names.length > mostListed ? `${shown} and ${names.length - mostListed} more` : shown;
}

const mostListed = 10;
