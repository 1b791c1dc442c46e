import type { Params, Result } from '../rpc/model.ts';
import { implementation, protocolVersions, statelessVersion, tasksExtension } from '../rpc/protocol.ts';
import { declaresTasks } from '../rpc/task-states.ts';
import type { Capabilities } from '../upstream/model.ts';
import { decodeClientCapabilities } from './client-requests.ts';
import type { ClientRequest, StatelessClient, TaskForm } from './model.ts';

/** The handshake of one session, and what is known of the client from it. */
export interface Handshake {
  /** The negotiated MCP revision; `undefined` before the handshake. */
  version(): string | undefined;
  /** How the client knows tasks, which calls of tools may create; `undefined` for one that knows none. */
  taskForm(): TaskForm | undefined;
  /** The capabilities that targets are told of, for as long as the session lasts. */
  clientCapabilities(): Capabilities;
  /**
   * Handles `initialize`.
   *
   * @param instructions joins those of targets, which are told of the client's capabilities
   */
  initialize(request: ClientRequest, instructions: Instructions): Promise<Result>;
  /** Handles `server/discover` of a client without handshake. */
  discover(request: ClientRequest, instructions: Instructions): Promise<Result>;
}

type Instructions = (caller: ClientRequest['caller'], signal: AbortSignal) => Promise<string | undefined>;

/** The server capabilities. */
const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};

/** From the first revision that has them on (MCP 2025-11-25, Tasks). In the next one they are an extension. */
const taskCapabilities = { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } };
const taskVersion = '2025-11-25';

/** Without logging, which clients ask for in each request; with the extension, whatever the targets have. */
const { logging: _, ...others } = capabilities;
const statelessCapabilities = { ...others, extensions: { [tasksExtension]: {} } };

/** The `_meta` member of MCP 2026-07-28. */
const serverInfoKey = 'io.modelcontextprotocol/serverInfo';

/** Starts before the handshake, or with what a client without one says of itself. */
export function createHandshake(client?: StatelessClient): Handshake {
  let version = client?.version;
  let clientCapabilities: Capabilities = client?.capabilities ?? {};
  return {
    version: () => version,
    taskForm() {
      if (client === undefined) return version === taskVersion ? taskVersion : undefined;
      return declaresTasks(client.capabilities) ? 'extension' : undefined;
    },
    clientCapabilities: () => clientCapabilities,
    async initialize({ params, caller, signal }, instructions) {
      clientCapabilities = decodeClientCapabilities(params?.['capabilities']);
      const text = await instructions(caller, signal);
      version = negotiated(params);
      const said = text === undefined ? {} : { instructions: text };
      const offered = version === taskVersion ? { ...capabilities, ...taskCapabilities } : capabilities;
      return { protocolVersion: version, capabilities: offered, serverInfo: { ...implementation }, ...said };
    },
    async discover({ caller, signal }, instructions) {
      const text = await instructions(caller, signal);
      const said = text === undefined ? {} : { instructions: text };
      const supportedVersions = [statelessVersion, ...protocolVersions];
      return {
        supportedVersions,
        capabilities: statelessCapabilities,
        ...said,
        _meta: { [serverInfoKey]: { ...implementation } },
      };
    },
  };
}

/** The version of the client if it is supported, else the newest one. */
function negotiated(params: Params | undefined): string {
  return protocolVersions.find((supported) => supported === params?.['protocolVersion']) ?? protocolVersions[0];
}
