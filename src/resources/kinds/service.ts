import { ok, unchecked, valueIfValid, withDefault } from '../decode/decoder.ts';
import { dnsLabel } from '../decode/formats.ts';
import { defineKind, type Kind } from '../decode/kind.ts';
import { belongIn, lenientMapping } from '../decode/mapping.ts';
import { warnOfUnknownAnnotation } from '../decode/own-annotations.ts';
import { createReporter, type Reporter } from '../decode/reporter.ts';
import type { Parsed, Path, Service } from '../model.ts';
import { mcpPath, pathAnnotations, serviceAddress } from './service-address.ts';
import { type DeclaredPort, servicePorts } from './service-ports.ts';

/** The other fields of a Kubernetes ServiceSpec. */
const otherFields = [
  'allocateLoadBalancerNodePorts',
  'clusterIPs',
  'externalIPs',
  'externalTrafficPolicy',
  'healthCheckNodePort',
  'internalTrafficPolicy',
  'ipFamilies',
  'ipFamilyPolicy',
  'loadBalancerClass',
  'loadBalancerIP',
  'loadBalancerSourceRanges',
  'publishNotReadyAddresses',
  'selector',
  'sessionAffinity',
  'sessionAffinityConfig',
  'trafficDistribution',
];

const serviceSpec = lenientMapping(
  {
    ports: withDefault(servicePorts, { declared: [], others: [] }),
    type: unchecked,
    externalName: unchecked,
    clusterIP: unchecked,
  },
  otherFields,
  belongIn('an entry of spec.ports', ['protocol', 'appProtocol', 'targetPort']),
);

const ownAnnotations = { known: pathAnnotations, prefix: 'kgateway.dev/mcp' };

/** Service: one MCP server behind each port that declares an MCP app protocol. */
export const service: Kind<'Service'> = defineKind(
  {
    kind: 'Service',
    apiVersion: 'v1',
    plural: 'services',
    namespaced: true,
    nameRule: dnsLabel,
    specFields: ['ports', 'type', 'clusterIP', 'externalName', 'selector'],
  },
  ({ metadata, annotations, spec }, reporter): Parsed<Service> => {
    const block = serviceSpec(spec, ['spec'], reporter);
    if (!block.ok) return block;
    const { ports, type, externalName, clusterIP } = block.value.fields;
    if (!ports.ok) return ports;
    const { declared, others } = ports.value;
    // The rules for addresses and paths are ours: they do not apply to a Service without an MCP port.
    const mcpReporter = declared.length > 0 ? reporter : createReporter();
    const fields = {
      type: valueIfValid(type),
      externalName: valueIfValid(externalName),
      clusterIP: valueIfValid(clusterIP),
    };
    const address = serviceAddress(fields, ['spec'], mcpReporter);
    const headless = address.ok && address.value.type === 'ClusterDNS' && fields.clusterIP === 'None';
    return ok({
      kind: 'Service',
      metadata,
      address,
      path: mcpPath(annotations, mcpReporter),
      mcpPorts: declared.map(({ port }) => port),
      headlessPortWarnings: headless ? unreachablePorts(declared, ['spec', 'ports'], reporter) : [],
      annotationWarning: warnOfUnknownAnnotation(annotations, ownAnnotations, reporter),
      otherPorts: others,
    });
  },
);

/** Ports of a headless Service with another target port: its DNS name resolves to pods, which ignores the mapping. */
function unreachablePorts(ports: readonly DeclaredPort[], path: Path, reporter: Reporter): readonly number[] {
  return ports.flatMap(({ port, targetPort, position }) => {
    if (!port.ok || typeof targetPort !== 'number' || targetPort === port.value.port) return [];
    const reached = `is ${targetPort}, but a headless Service is reached at its pods' port ${port.value.port}`;
    reporter.warning([...path, position, 'targetPort'], `${reached}: make the two equal, or remove "clusterIP: None".`);
    return [port.value.port];
  });
}
