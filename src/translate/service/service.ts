import type { Service } from '../../resources/model.ts';
import type { ServiceNotice, Target, TranslationSettings } from '../model.ts';
import { port, targetName } from '../names.ts';
import { type ServiceEndpoint, serviceEndpoint } from './endpoint.ts';

/** The targets of a Service, and what its owner must know about the parts without one. */
export interface ServiceResult {
  readonly namespace: string;
  readonly name: string;
  readonly targets: readonly Target[];
  /** The reasons why ports, or the whole Service, were dropped. */
  readonly dropped: readonly string[];
  readonly warnings: readonly string[];
}

/** Evaluates one Service. Undefined without an MCP port: then the other fields are irrelevant. */
export function evaluateService(service: Service, settings: TranslationSettings): ServiceResult | undefined {
  if (service.mcpPorts.length === 0) return undefined;
  const { namespace, name } = service.metadata;
  const { endpoint, errors } = serviceEndpoint(service, settings);
  const { targets, dropped } =
    endpoint === undefined ? { targets: [], dropped: invalidPorts(service) } : portTargets(service, endpoint);
  return { namespace, name, targets, dropped: [...errors, ...dropped], warnings: warnings(service, targets) };
}

/** The notice for the owner of a Service; most Services have none. */
export function serviceNotice({ namespace, name, dropped, warnings }: ServiceResult): ServiceNotice | undefined {
  return dropped.length + warnings.length === 0 ? undefined : { namespace, name, dropped, warnings };
}

/**
 * One target for each valid port. The first declared port has the short name, valid or not: otherwise another port
 * could inherit a name to which policies grant access.
 */
function portTargets(
  { metadata, mcpPorts }: Service,
  endpoint: ServiceEndpoint,
): { targets: readonly Target[]; dropped: readonly string[] } {
  const targets: Target[] = [];
  const dropped: string[] = [];
  const seen = new Set<number>();
  for (const [position, declared] of mcpPorts.entries()) {
    if (!declared.ok) {
      dropped.push(declared.reason);
      continue;
    }
    const number = declared.value.port;
    const valid = port(number);
    const name = targetName(endpoint.namespace, metadata.name, position === 0 ? undefined : number);
    if (seen.has(number)) dropped.push(`spec.ports has port ${number} more than once: only the first counts.`);
    else if (valid === undefined || name === undefined)
      dropped.push(`spec.ports has port ${number}, which cannot be served.`);
    else targets.push({ name, port: valid, appProtocol: declared.value.appProtocol, ...endpoint });
    seen.add(number);
  }
  return { targets, dropped };
}

function invalidPorts({ mcpPorts }: Service): readonly string[] {
  return mcpPorts.flatMap((declared) => (declared.ok ? [] : [declared.reason]));
}

function warnings(service: Service, targets: readonly Target[]): readonly string[] {
  const { annotationWarning, headlessPortWarnings } = service;
  const ofPorts = targets
    .filter(({ port }) => headlessPortWarnings.includes(port))
    .map(({ port }) => {
      const effect = 'a headless Service is reached at the port itself, so the targetPort has no effect';
      return `spec.ports has port ${port} with another targetPort: ${effect}.`;
    });
  return [...(annotationWarning === undefined ? [] : [annotationWarning]), ...ofPorts];
}
