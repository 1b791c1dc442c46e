import type { Flag } from '../flags.ts';
import { clusterFlags } from './input-flags.ts';
import { translationFlags } from './translation-flags.ts';

// The flags of the commands that read something and report on it, apart from what runs them: that is loaded when it runs.

/** The flags of `check`. */
export const checkFlags: readonly Flag[] = [
  {
    name: 'output',
    short: 'o',
    value: '<text|json|github>',
    default: 'text',
    help: 'github: annotations of a workflow',
  },
  { name: 'strict', default: 'false', help: 'whether warnings are errors' },
  ...clusterFlags,
  ...translationFlags,
];

/** The flags of `translate`. */
export const translateFlags: readonly Flag[] = [
  {
    name: 'output',
    short: 'o',
    value: '<yaml|json|binary|text>',
    help: 'yaml (default), json or binary: DiscoveryResponses, each after its length; with --diff text (default), yaml or json',
  },
  { name: 'gateway', value: '<namespace>/<name>', help: 'this Gateway only' },
  { name: 'dialect', value: '<name>', help: 'the resources of this dialect only, such as mcp.kgateway.dev' },
  {
    name: 'diff',
    value: '<file, folder or ->',
    repeatable: true,
    help: 'the manifests as they are to be: what that changes, as targets and as access gained and lost',
  },
  { name: 'exit-code', default: 'false', help: 'whether the exit code is 1 when --diff gives anybody more access' },
  ...clusterFlags,
  ...translationFlags,
];

/** The flags of `explain`. */
export const explainFlags: readonly Flag[] = [
  {
    name: 'filename',
    short: 'f',
    value: '<file, folder or ->',
    repeatable: true,
    help: 'the manifests, without those of folders within a folder; the first definition of an object is used',
  },
  {
    name: 'server',
    value: '<host:port>',
    help: 'ask a running control plane at its debug listener, such as 127.0.0.1:9097',
  },
  ...clusterFlags,
  { name: 'gateway', value: '<namespace>/<name>', help: 'the Gateway that is called; not needed when there is one' },
  { name: 'claims', value: '<JSON>', help: "the claims of the caller's token" },
  { name: 'token', value: '<JWT or ->', help: "the caller's token, which is decoded and not verified" },
  {
    name: 'config',
    value: '<file>',
    help: "the gateway's configuration: says whether it would accept issuer, audience and dates of --token",
  },
  { name: 'tool', value: '<target>:<tool>', help: 'the tool that is called' },
  { name: 'prompt', value: '<target>:<prompt>', help: 'the prompt that is asked for' },
  { name: 'resource', value: '<target>:<URI>', help: 'the resource that is read' },
  { name: 'output', short: 'o', value: '<text|json>', default: 'text', help: 'how the answer is written' },
  { name: 'exit-code', default: 'false', help: 'whether the exit code is 1 when nothing is allowed' },
  ...translationFlags,
];

/** The flags of `nodes`. */
export const nodesFlags: readonly Flag[] = [
  { name: 'server', value: '<host:port>', default: '127.0.0.1:9097', help: 'the debug listener of the control plane' },
  { name: 'gateway', value: '<namespace>/<name>', help: 'the nodes of this Gateway only' },
  { name: 'output', short: 'o', value: '<text|wide|json>', default: 'text', help: 'how the nodes are shown' },
  { name: 'watch', short: 'w', default: 'false', help: 'show changes until Ctrl-C: in place on a terminal' },
];
