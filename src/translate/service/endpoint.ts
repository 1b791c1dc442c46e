import { quoted } from '../../json/quoted.ts';
import type { Parsed, Service, ServiceAddress } from '../../resources/model.ts';
import type { Host, NamespaceName, TranslationSettings, UrlPath } from '../model.ts';
import { host, namespaceName, urlPath } from '../names.ts';

/** The fields that the targets of all ports of a Service share. */
export interface ServiceEndpoint {
  readonly namespace: NamespaceName;
  readonly host: Host;
  readonly path: UrlPath;
}

/** The endpoint of a Service; without one, `errors` are the reasons why the whole Service is dropped. */
export function serviceEndpoint(
  service: Service,
  settings: TranslationSettings,
): { readonly endpoint: ServiceEndpoint | undefined; readonly errors: readonly string[] } {
  const path = endpointPath(service);
  const address = endpointHost(service, settings);
  const namespace = namespaceName(service.metadata.namespace);
  const errors = [path, address].flatMap((part) => (part.ok ? [] : [part.reason]));
  if (namespace === undefined || !path.ok || !address.ok) return { endpoint: undefined, errors };
  return { endpoint: { namespace, host: address.value, path: path.value }, errors };
}

function endpointPath({ path }: Service): Parsed<UrlPath> {
  if (!path.ok) return path;
  const value = urlPath(path.value);
  return value === undefined
    ? invalid('metadata.annotations has an MCP path that is not the path of a URL.')
    : { ok: true, value };
}

function endpointHost({ metadata, address }: Service, settings: TranslationSettings): Parsed<Host> {
  if (!address.ok) return address;
  const reason = disallowed(address.value, settings);
  if (reason !== undefined) return invalid(reason);
  const text = hostText(address.value, `${metadata.name}.${metadata.namespace}.svc.${settings.clusterDomain}`);
  const value = host(text);
  return value === undefined
    ? invalid(`The address ${quoted(text)} is no host name and no IP address.`)
    : { ok: true, value };
}

/**
 * The reason why settings turn an address off. `loopback` of a ClusterIP is decided by resources/decode/ip-address.ts:
 * the question is where a target may be, and not, as in net/loopback.ts, who may reach a listener.
 */
function disallowed(address: ServiceAddress, settings: TranslationSettings): string | undefined {
  if (address.type === 'ExternalName' && !settings.externalNameServices) {
    return 'spec.type is ExternalName, which is turned off here by --external-name-services=false.';
  }
  if (address.type === 'ClusterIP' && address.loopback && !settings.allowLoopbackTargets) {
    return `spec.clusterIP ${address.ip} is the gateway's own machine; --allow-loopback-targets allows it for trying things out.`;
  }
  return undefined;
}

function hostText(address: ServiceAddress, clusterName: string): string {
  switch (address.type) {
    case 'ExternalName':
      return address.name;
    case 'ClusterIP':
      return address.version === 6 ? `[${address.ip}]` : address.ip;
    case 'ClusterDNS':
      return clusterName;
  }
}

function invalid(reason: string): Parsed<never> {
  return { ok: false, reason };
}
