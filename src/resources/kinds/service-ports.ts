import { quoted } from '../../json/quoted.ts';
import { type Decoder, ok, optional, refine, unchecked, valueIfValid, withDefault } from '../decode/decoder.ts';
import { list } from '../decode/list.ts';
import { type DecodedFields, lenientMapping } from '../decode/mapping.ts';
import { isNear, nearest, type Reporter } from '../decode/reporter.ts';
import { anyText, portNumber, text } from '../decode/scalars.ts';
import type { McpAppProtocol, McpPort, OtherPort, Path } from '../model.ts';

/** Every `McpAppProtocol`. */
export const mcpAppProtocols: readonly McpAppProtocol[] = [
  'kgateway.dev/mcp',
  'kgateway.dev/mcp-sse',
  'agentgateway.dev/mcp',
  'agentgateway.dev/mcp-sse',
];

/** A port that declares MCP, valid or not, with what the warning about headless Services needs. */
export interface DeclaredPort {
  readonly port: McpPort;
  readonly targetPort: unknown;
  /** Its index in `spec.ports`. */
  readonly position: number;
}

/**
 * Ports of one Service that become targets. Each is an MCP server of its own, sent to every Gateway; 65,535 of them fit
 * into one object.
 */
const maxMcpPorts = 100;

const fields = {
  port: portNumber,
  protocol: withDefault(text(anyText), 'TCP'),
  appProtocol: optional(text(anyText)),
  targetPort: unchecked,
};

/** The ports of a Service, in their order. */
export interface ServicePorts {
  readonly declared: readonly DeclaredPort[];
  /** The first 16 of the valid TCP ports that declare no MCP. */
  readonly others: readonly OtherPort[];
}

/** Services have few ports; the others of a long list explain nothing. */
const mostOthers = 16;

/**
 * Decodes `spec.ports`, and sorts out the ports that declare MCP. An invalid port counts as declared: if it were
 * skipped, the next port would inherit its target name and the access that policies grant under that name.
 */
export const servicePorts: Decoder<ServicePorts> = refine(
  list(lenientMapping(fields, ['name', 'nodePort'])),
  (ports, path, reporter) => {
    const seen = new Set<number>();
    const declared: DeclaredPort[] = [];
    const others: OtherPort[] = [];
    for (const [position, entry] of ports.entries()) {
      const port = entry.ok ? mcpPort(entry.value, seen, [...path, position], reporter) : entry;
      const targetPort = entry.ok ? valueIfValid(entry.value.fields.targetPort) : undefined;
      const other =
        entry.ok && port === undefined ? otherPort(entry.value, position, [...path, position], reporter) : undefined;
      if (port) declared.push({ port, targetPort, position });
      else if (other && others.length < mostOthers) others.push(other);
    }
    if (declared.length > maxMcpPorts) {
      return reporter.error(
        path,
        `has ${declared.length} MCP ports: write at most ${maxMcpPorts}, or several Services.`,
      );
    }
    return ok({ declared, others });
  },
);

function otherPort(
  { fields: { port, protocol, appProtocol } }: Fields,
  position: number,
  path: Path,
  reporter: Reporter,
): OtherPort | undefined {
  if (!port.ok || !protocol.ok || !appProtocol.ok || (protocol.value !== 'TCP' && protocol.value !== ''))
    return undefined;
  const reported = warnOfMisspelling(appProtocol.value ?? '', [...path, 'appProtocol'], reporter);
  return { position, appProtocol: appProtocol.value, reported };
}

type Fields = DecodedFields<typeof fields>;

/** Undefined for a port that does not declare MCP, or that is not a TCP port. */
function mcpPort(block: Fields, seen: Set<number>, path: Path, reporter: Reporter): McpPort | undefined {
  const { port, protocol, appProtocol } = block.fields;
  const declared = appProtocol.ok ? mcpAppProtocols.find((known) => known === appProtocol.value) : undefined;
  // The API server defaults an empty protocol to TCP, as an absent one.
  if (protocol.ok && protocol.value !== 'TCP' && protocol.value !== '') {
    const detail = `is ${quoted(protocol.value)}, so that the port is no MCP target: write "TCP".`;
    if (declared !== undefined) reporter.error([...path, 'protocol'], detail);
    return undefined;
  }
  const isDuplicate = port.ok && seen.has(port.value);
  if (port.ok) seen.add(port.value);
  if (!protocol.ok) return protocol;
  if (!appProtocol.ok) return appProtocol;
  if (!port.ok) return port;
  if (declared === undefined) return undefined;
  if (isDuplicate)
    return reporter.error([...path, 'port'], `is ${port.value} for the second time: give every port its own number.`);
  return ok({ port: port.value, appProtocol: declared });
}

/**
 * Warns of a value that contains "mcp", or differs in at most two letters from an MCP app protocol, and is none: such a
 * port becomes no target. Returns whether it warned.
 */
function warnOfMisspelling(appProtocol: string, path: Path, reporter: Reporter): boolean {
  const found = nearest(appProtocol, mcpAppProtocols);
  if (found === undefined || !(/mcp/i.test(appProtocol) || isNear(appProtocol, found, 2))) return false;
  const near = JSON.stringify(found);
  reporter.warning(path, `is ${quoted(appProtocol)}, which makes no MCP target: write ${near} if it is to be one.`);
  return true;
}
