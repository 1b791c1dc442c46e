import { ok, optional, unwrapOptional } from '../decode/decoder.ts';
import { dnsSubdomain } from '../decode/formats.ts';
import { defineKind, type Kind } from '../decode/kind.ts';
import { lenientMapping } from '../decode/mapping.ts';
import { longerThan, type TextRule, text } from '../decode/scalars.ts';
import { classParametersRef } from './gateway-parameters.ts';

const controllerNameRule: TextRule = {
  expected: 'a domain and a path such as "kgateway.dev/kgateway" (at most 253 characters)',
  test: (value) => {
    const slash = value.indexOf('/');
    if (slash === -1 || value.length > 253) return false;
    return dnsSubdomain.test(value.slice(0, slash)) && /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(value.slice(slash + 1));
  },
};

const description: TextRule = { expected: 'at most 64 characters', test: (value) => !longerThan(64, value) };

const gatewayClassSpec = lenientMapping({
  controllerName: text(controllerNameRule),
  description: optional(text(description)),
  parametersRef: optional(classParametersRef),
});

/** GatewayClass: names the controller of its Gateways. */
export const gatewayClass: Kind<'GatewayClass'> = defineKind(
  {
    kind: 'GatewayClass',
    apiVersion: 'gateway.networking.k8s.io/v1',
    plural: 'gatewayclasses',
    namespaced: false,
    nameRule: dnsSubdomain,
    specFields: ['controllerName', 'parametersRef'],
  },
  ({ metadata, spec }, reporter) => {
    const block = gatewayClassSpec(spec, ['spec'], reporter);
    if (!block.ok) return block;
    const { controllerName, parametersRef } = block.value.fields;
    return ok({ kind: 'GatewayClass', metadata, controllerName, parametersRef: unwrapOptional(parametersRef) });
  },
);
