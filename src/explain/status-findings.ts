import { pathText } from '../resources/resources.ts';
import type { Condition } from '../translate/model.ts';
import { evaluateListeners } from '../translate/translate.ts';
import type { ExplainInputs, Finding, Place } from './model.ts';

/** Yields what the conditions of all objects report. Some of it decoding reported too, in the same sentences. */
export function* statusFindings(inputs: ExplainInputs): Generator<Finding> {
  const { translation } = inputs;
  for (const [key, { conditions }] of translation.gatewayClassStatuses.entries()) {
    const at: Place = { kind: 'GatewayClass', key, path: ['spec', 'parametersRef'] };
    for (const { message } of conditions.filter(isRefusal)) yield finding('warning', at, message);
  }
  for (const [key, { conditions }] of translation.gatewayStatuses.entries()) {
    yield* gatewayFindings(inputs, key, conditions);
  }
  for (const [key, { ancestors }] of translation.policyStatuses.entries()) {
    const seen = new Set<string>();
    for (const { message } of ancestors.flatMap(({ conditions }) => conditions.filter(dropsSigners))) {
      if (!seen.has(message)) yield finding('warning', { kind: 'MCPAuthPolicy', key, path: ['spec', 'jwt'] }, message);
      seen.add(message);
    }
    for (const { message, reason } of ancestors.flatMap(({ conditions }) => conditions.filter(isRefusal))) {
      // The dropped parts are problems of the object, and hints name a near Gateway.
      const repeated = reason === 'TargetNotFound' || message.startsWith('Nothing of the policy is valid');
      if (repeated || seen.has(message)) continue;
      seen.add(message);
      yield finding('error', { kind: 'MCPAuthPolicy', key, path: pathIn(message, ['spec', 'targetRefs']) }, message);
    }
  }
  for (const [key, { unwritable }] of translation.policyNotices.entries()) {
    const at = (message: string): Place => ({
      kind: 'MCPAuthPolicy',
      key,
      path: pathIn(message, ['spec', 'targetRefs']),
    });
    for (const message of unwritable) yield finding('error', at(message), message);
  }
  for (const [key, { dropped }] of translation.serviceNotices.entries()) {
    for (const message of dropped) yield finding('error', { kind: 'Service', key, path: pathIn(message, []) }, message);
  }
}

function* gatewayFindings(inputs: ExplainInputs, key: string, conditions: readonly Condition[]): Generator<Finding> {
  const at = (...path: readonly (string | number)[]): Place => ({ kind: 'Gateway', key, path });
  for (const { reason, message } of conditions.filter(isRefusal)) {
    if (reason === 'InvalidParameters')
      yield finding('warning', at('spec', 'infrastructure', 'parametersRef'), message);
    if (reason === 'UnsupportedAddress') yield finding('error', at('spec', 'addresses'), message);
    if (reason === 'Pending') yield finding('warning', at('spec', 'gatewayClassName'), message);
  }
  const listeners = inputs.resources.Gateway.get(key)?.listeners ?? [];
  if (listeners.length === 0) {
    const message = 'spec.listeners is empty: a Gateway needs one with the protocol kgateway.dev/mcp.';
    yield finding('warning', at('spec', 'listeners'), message);
  }
  for (const [position, { outcome }] of evaluateListeners(listeners).entries()) {
    if (outcome.accepted) continue;
    const protocol = outcome.reason === 'UnsupportedProtocol';
    const path = ['spec', 'listeners', position, ...(protocol ? ['protocol'] : [])];
    yield finding(protocol ? 'warning' : 'error', at(...path), outcome.message);
  }
}

function isRefusal({ type, status }: Condition): boolean {
  return type === 'Accepted' && status !== 'True';
}

/** Keys that cannot be fetched are a part of no object: decoding, which reports other dropped parts, does not see them. */
function dropsSigners({ reason, status }: Condition): boolean {
  return reason === 'SignersDropped' && status === 'True';
}

function finding(severity: Finding['severity'], at: Place, message: string): Finding {
  return { severity, from: 'status', at, message };
}

/** The path of the field that a sentence begins with, such as `spec.targetRefs[0].sectionName is …`. */
function pathIn(message: string, otherwise: Place['path']): Place['path'] {
  const written = /^[A-Za-z]+(?:\.[A-Za-z]+|\[\d+\])+/.exec(message)?.[0];
  if (written === undefined) return otherwise;
  const path = [...written.matchAll(/([A-Za-z]+)|\[(\d+)\]/g)].map(([, name, position]) => name ?? Number(position));
  return pathText(path) === written ? path : otherwise;
}
