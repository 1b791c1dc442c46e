import { anything, defaulted } from '../decode/decoder.ts';
import { DNS_LABEL } from '../decode/formats.ts';
import { open } from '../decode/mapping.ts';
import { createReport, type Report } from '../decode/reporter.ts';
import { defineKind, type Kind } from '../kind.ts';
import { mcpPath } from '../mcp-path.ts';
import type { Part, Path, Service } from '../model.ts';
import { ok, understood } from '../part.ts';
import { serviceAddress } from './service-address.ts';
import { type DeclaredPort, declaredPorts } from './service-ports.ts';

/** What else a Kubernetes ServiceSpec has. */
const OTHER_FIELDS = [
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

const serviceSpec = open(
  { ports: defaulted(declaredPorts, []), type: anything, externalName: anything, clusterIP: anything },
  OTHER_FIELDS,
);

/** MCP servers, one behind each port that declares it. */
export const service: Kind<'Service'> = defineKind(
  { kind: 'Service', apiVersion: 'v1', plural: 'services', namespaced: true, nameRule: DNS_LABEL },
  ({ identity, annotations, spec }, report): Part<Service> => {
    const block = serviceSpec(spec, ['spec'], report);
    if (!block.ok) return block;
    const { ports, type, externalName, clusterIP } = block.value.fields;
    if (!ports.ok) return ports;
    // What an address or a path must be is our rule: it does not bind a Service that is none of our business.
    const ours = ports.value.length > 0 ? report : createReport();
    const fields = { type: understood(type), externalName: understood(externalName), clusterIP: understood(clusterIP) };
    const address = serviceAddress(fields, ['spec'], ours);
    const headless = address.ok && address.value.type === 'ClusterDNS' && fields.clusterIP === 'None';
    return ok({
      kind: 'Service',
      identity,
      address,
      path: mcpPath(annotations, ours),
      mcpPorts: ports.value.map(({ part }) => part),
      headlessPortWarnings: headless ? headlessPorts(ports.value, ['spec', 'ports'], report) : [],
    });
  },
);

/** The name of a headless Service leads to its pods themselves, past the mapping of ports. */
function headlessPorts(ports: readonly DeclaredPort[], at: Path, report: Report): readonly number[] {
  return ports.flatMap(({ part, targetPort, position }) => {
    if (!part.ok || typeof targetPort !== 'number' || targetPort === part.value.port) return [];
    const reached = `is ${targetPort}, but a headless Service is reached at its pods' port ${part.value.port}`;
    report.warning([...at, position, 'targetPort'], `${reached}: make the two equal, or remove "clusterIP: None".`);
    return [part.value.port];
  });
}
