import type { Part, Service, ServiceAddress } from '../../resources/model.ts';
import type { Host, NamespaceName, ServiceNotice, Target, TranslationSettings, UrlPath } from '../model.ts';
import { host, namespaceName, port, targetName, urlPath } from '../names.ts';

/** What a Service of ours comes to: the targets of its ports, and what has to be said about the rest. */
export interface ServiceReading {
  readonly targets: readonly Target[];
  readonly dropped: readonly string[];
  readonly warnings: readonly string[];
  readonly namespace: string;
  readonly name: string;
}

/** The parts that all ports of a Service share. */
interface Place {
  readonly namespace: NamespaceName;
  readonly host: Host;
  readonly path: UrlPath;
}

/** Reads one Service. One without an MCP port is nobody's business, whatever its other fields say. */
export function readService(service: Service, settings: TranslationSettings): ServiceReading | undefined {
  if (service.mcpPorts.length === 0) return undefined;
  const { namespace, name } = service.identity;
  const path = readPath(service);
  const reached = readHost(service, settings);
  const home = namespaceName(namespace);
  const { targets, faults } =
    home !== undefined && path.ok && reached.ok
      ? readPorts(service, { namespace: home, host: reached.value, path: path.value })
      : { targets: [], faults: portFaults(service) };
  const whole = [path, reached].flatMap((part) => (part.ok ? [] : [part.reason]));
  return { namespace, name, targets, dropped: [...whole, ...faults], warnings: warnings(service, targets) };
}

/** A notice is there for what a user has to know; most Services have none. */
export function noticeOf({ namespace, name, dropped, warnings }: ServiceReading): ServiceNotice | undefined {
  return dropped.length + warnings.length === 0 ? undefined : { namespace, name, dropped, warnings };
}

/**
 * One target for each port that is understood. The first declared port has the short name, whether or not it is
 * valid: no other port may come to bear a name that policies gave access to.
 */
function readPorts(
  { identity, mcpPorts }: Service,
  place: Place,
): { targets: readonly Target[]; faults: readonly string[] } {
  const targets: Target[] = [];
  const faults: string[] = [];
  const seen = new Set<number>();
  for (const [at, declared] of mcpPorts.entries()) {
    if (!declared.ok) {
      faults.push(declared.reason);
      continue;
    }
    const number = declared.value.port;
    const valid = port(number);
    const name = targetName(place.namespace, identity.name, at === 0 ? undefined : number);
    if (seen.has(number)) faults.push(`spec.ports has port ${number} more than once: only the first counts.`);
    else if (valid === undefined || name === undefined)
      faults.push(`spec.ports has port ${number}, which cannot be served.`);
    else targets.push({ name, port: valid, ...place });
    seen.add(number);
  }
  return { targets, faults };
}

function portFaults({ mcpPorts }: Service): readonly string[] {
  return mcpPorts.flatMap((declared) => (declared.ok ? [] : [declared.reason]));
}

function readPath({ path }: Service): Part<UrlPath> {
  if (!path.ok) return path;
  const value = urlPath(path.value);
  return value === undefined
    ? fault('metadata.annotations has an MCP path that is not the path of a URL.')
    : { ok: true, value };
}

function readHost({ identity, address }: Service, settings: TranslationSettings): Part<Host> {
  if (!address.ok) return address;
  const refusal = whyNotAllowed(address.value, settings);
  if (refusal !== undefined) return fault(refusal);
  const text = spell(address.value, `${identity.name}.${identity.namespace}.svc.${settings.clusterDomain}`);
  const value = host(text);
  return value === undefined ? fault(`The address "${text}" is no host name and no IP address.`) : { ok: true, value };
}

function whyNotAllowed(address: ServiceAddress, settings: TranslationSettings): string | undefined {
  if (address.type === 'ExternalName' && !settings.externalNameServices) {
    return 'spec.type is ExternalName, which is turned off here by --external-name-services=false.';
  }
  if (address.type === 'ClusterIP' && address.loopback && !settings.allowLoopbackTargets) {
    return `spec.clusterIP ${address.ip} is the gateway's own machine; --allow-loopback-targets allows it for trying things out.`;
  }
  return undefined;
}

function spell(address: ServiceAddress, clusterName: string): string {
  switch (address.type) {
    case 'ExternalName':
      return address.name;
    case 'ClusterIP':
      return address.version === 6 ? `[${address.ip}]` : address.ip;
    case 'ClusterDNS':
      return clusterName;
  }
}

function warnings({ headlessPortWarnings }: Service, targets: readonly Target[]): readonly string[] {
  return targets
    .filter(({ port }) => headlessPortWarnings.includes(port))
    .map(({ port }) => {
      const effect = 'a headless Service is reached at the port itself, so the targetPort has no effect';
      return `spec.ports has port ${port} with another targetPort: ${effect}.`;
    });
}

function fault(reason: string): Part<never> {
  return { ok: false, reason };
}
