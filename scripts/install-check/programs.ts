import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { controlPlane } from '../../src/demo/control-plane.ts';
import { prepareGuide } from '../../src/demo/guide.ts';
import { type Program, startProgram } from '../../src/demo/programs.ts';
import type { Mounts } from './rootfs.ts';

/** How an image's program starts. */
export interface EntryPoint {
  /** The file to run, and its arguments before the command. */
  readonly program: readonly [file: string, ...args: string[]];
  /** The command and its arguments in the entry point of the image. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The mounted folders as the program sees them. */
  readonly seen: Mounts;
}

export interface ProgramsOptions {
  /** The folder `deploy`. */
  readonly deploy: string;
  /** An existing folder for the programs' logs. */
  readonly logs: string;
  /** Prints a line of progress. */
  readonly report: (line: string) => void;
  /** Returns the entry point of an image whose container has these mounts. */
  readonly entryPointOf: (target: string, mounts: Mounts) => EntryPoint;
  /** Rejects on a signal. */
  readonly interrupted: Promise<never>;
}

/** What a Deployment adds to its image. */
interface Container {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** @param more arguments after those of the Deployment: the last value of a flag wins */
type Start = (
  target: string,
  container: Container,
  mounts: Mounts,
  more: (seen: Mounts) => readonly string[],
) => Program;

/**
 * Starts the control plane, the gateway and the tool with the images' entry points and the arguments and environment of
 * their Deployments, waits until the gateway has acknowledged the control plane's configuration, and stops all three.
 * Rejects if one exits early or does not stop.
 */
export async function runPrograms(options: ProgramsOptions): Promise<void> {
  const died = Promise.withResolvers<never>();
  died.promise.catch(() => undefined);
  const running: Program[] = [];
  const commands: string[] = [];
  let stopping = false;
  const start: Start = (target, container, mounts, more) => {
    if (stopping) throw new Error(`${target} is not started: the check is stopping`);
    const entryPoint = options.entryPointOf(target, mounts);
    const [command = '', ...rest] = [...entryPoint.args, ...container.args, ...more(entryPoint.seen)];
    options.report(`start ${target}: ${[command, ...rest].join(' ')}`);
    const source = {
      program: entryPoint.program,
      logs: options.logs,
      environment: { ...entryPoint.environment, ...container.env },
      unexpectedExit: (message: string) => died.reject(new Error(message)),
    };
    const program = startProgram(source, command, rest);
    running.push(program);
    commands.push(command);
    return program;
  };
  const connected = startAndConnect(options, start);
  try {
    await Promise.race([connected, died.promise, options.interrupted]);
  } finally {
    stopping = true;
    await Promise.all(running.map((program) => program.stop()));
    // It removes its temporary folder when it fails, which it does once the programs have stopped.
    await Promise.allSettled([connected]);
  }
  for (const command of commands) {
    const log = await readFile(join(options.logs, `${command}.log`), 'utf8');
    if (!log.includes('"message":"stopped"')) throw new Error(`gatehouse ${command} did not stop:\n${log}`);
  }
  options.report('all three programs stopped');
}

async function startAndConnect({ deploy, report }: ProgramsOptions, start: Start): Promise<void> {
  const manifests = join(deploy, 'examples/guide');
  const guide = await prepareGuide(manifests, { host: '0.0.0.0', port: 0 });
  try {
    const toolContainer = await containerIn(join(deploy, 'examples/deployments/mcp-tool.yaml'));
    const tool = start('mcp-tool', toolContainer, {}, () => ['--host=127.0.0.1', '--port=0']);
    const listeners = ['xds', 'debug', 'metrics', 'admin'];
    const onLoopback = listeners.map((name) => `--${name}-listen=127.0.0.1:0`);
    const ownContainer = await containerIn(join(deploy, 'base/deployment.yaml'));
    const serve = start('gatehouse', ownContainer, { manifests }, (seen) => ['-f', `${seen.manifests}`, ...onLoopback]);
    const [xds, debug, metrics] = await Promise.all(['xds', 'debug', 'metrics'].map((name) => serve.listening(name)));
    const toolAddress = await tool.listening('mcp');
    report(`the control plane listens on ${xds}, the tool on ${toolAddress}`);
    const gatewayContainer = await containerIn(join(deploy, 'examples/deployments/mcp-gateway.yaml'));
    const gateway = start('mcp-gateway', gatewayContainer, { config: guide.mounted }, ({ config }) => [
      `--mount=/config=${config}`,
      `--resolve=kgateway.kgateway-system.svc.cluster.local:9977=${xds}`,
      `--resolve=mcp-tool.default.svc.cluster.local:8080=${toolAddress}`,
      '--admin-listen=127.0.0.1:0',
    ]);
    report(`the gateway listens on ${await gateway.listening('mcp')}`);
    const { version } = await controlPlane(String(debug), 'default/mcp-gateway').acknowledged(undefined);
    report(`the gateway acknowledged ${version}`);
    // The control plane serves nothing before it is ready.
    const ready = await fetch(`http://${metrics}/readyz`);
    if (!ready.ok) throw new Error(`/readyz answers ${ready.status}: ${await ready.text()}`);
    report('/readyz answers 200');
  } finally {
    await guide.discard();
  }
}

/** What the downward API puts into the environment of a pod. */
const podFields: Readonly<Record<string, string>> = {
  'metadata.name': 'mcp-gateway',
  'metadata.namespace': 'default',
  'spec.nodeName': 'node',
};

/** Reads the container of the Deployment in a manifest. */
async function containerIn(file: string): Promise<Container> {
  const text = await readFile(file, 'utf8');
  const deployment = parseAllDocuments(text).find((document) => document.get('kind') === 'Deployment');
  const found: unknown = deployment?.toJS().spec.template.spec.containers[0];
  if (!isContainer(found)) throw new Error(`${file} has no Deployment with arguments and environment`);
  const env = found.env.map(({ name, value, valueFrom }) => [
    name,
    value ?? podFields[valueFrom?.fieldRef.fieldPath ?? ''] ?? '',
  ]);
  return { args: found.args.map(String), env: Object.fromEntries(env) };
}

interface ContainerManifest {
  readonly args: readonly unknown[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
}

function isContainer(found: unknown): found is ContainerManifest {
  if (typeof found !== 'object' || found === null || !('args' in found) || !('env' in found)) return false;
  return Array.isArray(found.args) && Array.isArray(found.env);
}
