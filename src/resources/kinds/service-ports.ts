import { quoted } from '../../json/quoted.ts';
import { type Decoder, ok, optional, refine, unchecked, valueIfValid, withDefault } from '../decode/decoder.ts';
import { list } from '../decode/list.ts';
import { type DecodedFields, lenientMapping } from '../decode/mapping.ts';
import { nearest, type Reporter } from '../decode/reporter.ts';
import { anyText, portNumber, text } from '../decode/scalars.ts';
import type { McpPort, Path } from '../model.ts';

/** The values of `appProtocol` that make a port an MCP target; compared exactly. */
const mcpAppProtocols: readonly string[] = [
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

/**
 * Decodes `spec.ports` to the ports that declare MCP, in their order. An invalid port counts as declared: if it were
 * skipped, the next port would inherit its target name and the access that policies grant under that name.
 */
export const declaredPorts: Decoder<readonly DeclaredPort[]> = refine(
  list(lenientMapping(fields, ['name', 'nodePort'])),
  (ports, path, reporter) => {
    const seen = new Set<number>();
    const declared: DeclaredPort[] = [];
    for (const [position, entry] of ports.entries()) {
      const port = entry.ok ? mcpPort(entry.value, seen, [...path, position], reporter) : entry;
      const targetPort = entry.ok ? valueIfValid(entry.value.fields.targetPort) : undefined;
      if (port) declared.push({ port, targetPort, position });
    }
    if (declared.length > maxMcpPorts) {
      return reporter.error(
        path,
        `has ${declared.length} MCP ports: write at most ${maxMcpPorts}, or several Services.`,
      );
    }
    return ok(declared);
  },
);

/** Undefined for a port that does not declare MCP, or that is not a TCP port. */
function mcpPort(
  block: DecodedFields<typeof fields>,
  seen: Set<number>,
  path: Path,
  reporter: Reporter,
): McpPort | undefined {
  const { port, protocol, appProtocol } = block.fields;
  const isMcp = appProtocol.ok && appProtocol.value !== undefined && mcpAppProtocols.includes(appProtocol.value);
  // The API server defaults an empty protocol to TCP, as an absent one.
  if (protocol.ok && protocol.value !== 'TCP' && protocol.value !== '') {
    const detail = `is ${quoted(protocol.value)}, so that the port is no MCP target: write "TCP".`;
    if (isMcp) reporter.error([...path, 'protocol'], detail);
    return undefined;
  }
  const isDuplicate = port.ok && seen.has(port.value);
  if (port.ok) seen.add(port.value);
  if (!protocol.ok) return protocol;
  if (!appProtocol.ok) return appProtocol;
  if (!port.ok) return port;
  if (!isMcp) {
    warnOfMisspelling(appProtocol.value ?? '', [...path, 'appProtocol'], reporter);
    return undefined;
  }
  if (isDuplicate)
    return reporter.error([...path, 'port'], `is ${port.value} for the second time: give every port its own number.`);
  return ok({ port: port.value });
}

/** Warns of a value that contains "mcp" and is none of the MCP app protocols: such a port becomes no target. */
function warnOfMisspelling(appProtocol: string, path: Path, reporter: Reporter): void {
  if (!/mcp/i.test(appProtocol)) return;
  const near = JSON.stringify(nearest(appProtocol, mcpAppProtocols));
  reporter.warning(path, `is ${quoted(appProtocol)}, which makes no MCP target: write ${near} if it is to be one.`);
}
