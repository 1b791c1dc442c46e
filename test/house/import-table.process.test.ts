import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** A forbidden and an allowed import of a folder. */
const folders: readonly (readonly [file: string, forbidden: string, allowed: string])[] = [
  ['src/graph/planted.ts', 'node:fs', './model.ts'],
  ['src/graph/planted.ts', '../edges.ts', './model.ts'],
  ['src/resources/planted.ts', 'node:net', './model.ts'],
  ['src/resources/planted.ts', '../graph/graph.ts', './model.ts'],
  ['src/resources/decode/planted.ts', '../kinds/kinds.ts', '../model.ts'],
  ['src/resources/kinds/planted.ts', '../../net/host-port.ts', '../../net/loopback.ts'],
  ['src/translate/planted.ts', '../wire/model.ts', '../graph/graph.ts'],
  ['src/translate/planted.ts', 'node:crypto', '../resources/model.ts'],
  ['src/translate/gateway/planted.ts', '../policy/policy.ts', '../names.ts'],
  ['src/translate/service/planted.ts', '../gateway/gateway.ts', '../../resources/model.ts'],
  ['src/translate/policy/planted.ts', '../status/conditions.ts', '../gateway/allowed-namespaces.ts'],
  ['src/translate/policy/planted.ts', '../../jwk/jwk.ts', '../../jwk/public-keys.ts'],
  ['src/jwk/planted.ts', '../net/host-port.ts', 'node:crypto'],
  ['src/translate/status/planted.ts', '../../resources/resources.ts', '../policy/policy.ts'],
  ['src/explain/planted.ts', '../wire/wire.ts', '../translate/translate.ts'],
  ['src/explain/planted.ts', '../app/pipeline.ts', '../authz/model.ts'],
  ['src/wire/planted.ts', '../snapshot/model.ts', '../translate/model.ts'],
  ['src/wire/planted.ts', '../translate/translate.ts', 'node:crypto'],
  ['src/wire/agentgateway/planted.ts', '../mcp-kgateway.ts', '../encoded-resource.ts'],
  ['src/app/encoding/planted.ts', '../../serve/serve.ts', '../../wire/wire.ts'],
  ['src/snapshot/planted.ts', '@grpc/grpc-js', 'sorted-btree'],
  ['src/source/planted.ts', '../translate/model.ts', '../resources/resources.ts'],
  ['src/source/planted.ts', '../resources/gateway.ts', '../json/json.ts'],
  ['src/source/planted.ts', './cluster/reflector.ts', './cluster/cluster-source.ts'],
  ['src/source/jwks/planted.ts', '../cluster/cluster-source.ts', 'undici'],
  ['src/source/cluster/planted.ts', '@kubernetes/client-node', '../../kube/model.ts'],
  ['src/source/cluster/planted.ts', '../../kube/connection.ts', './reflector/reflector.ts'],
  ['src/source/cluster/api/planted.ts', '../reflector/object-store.ts', '../../../kube/api-error.ts'],
  ['src/source/cluster/reflector/planted.ts', '../cluster-source.ts', '../api/reader.ts'],
  ['src/source/files/planted.ts', '../cluster/cluster-source.ts', './watch/root-scanner.ts'],
  ['src/source/files/manifest/planted.ts', 'node:fs', 'yaml'],
  ['src/source/files/parsing/planted.ts', '../watch/root-scanner.ts', '../manifest/limits.ts'],
  ['src/source/files/watch/planted.ts', '../file-source.ts', '../manifest/limits.ts'],
  ['src/kube/planted.ts', '../resources/model.ts', '@kubernetes/client-node'],
  ['src/kube/planted.ts', '../source/model.ts', './http/request-sender.ts'],
  ['src/kube/http/planted.ts', '../kubeconfig/client-config.ts', 'undici'],
  ['src/kube/kubeconfig/planted.ts', '../http/errors.ts', '../model.ts'],
  ['src/status/planted.ts', '../kube/kube.ts', '../kube/model.ts'],
  ['src/serve/planted.ts', '../resources/model.ts', '@grpc/grpc-js'],
  ['src/serve/planted.ts', '@kubernetes/client-node', '../snapshot/model.ts'],
  ['src/serve/request/planted.ts', '../model.ts', '../../snapshot/model.ts'],
  ['src/serve/limits/planted.ts', '../ads/protocol.ts', '../request/request-cost.ts'],
  ['src/gateway/session/names/planted.ts', '../lists.ts', '../../rpc/model.ts'],
  ['src/serve/ads/planted.ts', '../limits/accept-queue.ts', '../request/request-cost.ts'],
  ['src/serve/ads/planted.ts', '../transport/calls.ts', '../model.ts'],
  ['src/serve/transport/planted.ts', '../node/node-stream.ts', '../ads/protocol.ts'],
  ['src/serve/auth/planted.ts', '../transport/calls.ts', '../../net/deadline.ts'],
  ['src/net/tls/planted.ts', '../../jwk/jwk.ts', '../timers.ts'],
  ['src/net/guard/planted.ts', '../../serve/serve.ts', '../../json/json.ts'],
  ['src/net/listener/planted.ts', '../../log/log.ts', '../tls/handshakes.ts'],
  ['src/net/outbound/planted.ts', '../../kube/kube.ts', '../deadline.ts'],
  ['src/serve/node/planted.ts', '../operators/health.ts', '../transport/calls.ts'],
  ['src/serve/operators/planted.ts', '../node/node-stream.ts', '../transport/calls.ts'],
  ['src/serve/operators/csds/planted.ts', '../../../wire/model.ts', '../../model.ts'],
  ['src/serve/operators/reflection/planted.ts', '../csds/csds.ts', '../../request/bounded-text.ts'],
  ['src/status/planted.ts', '../serve/model.ts', '../translate/model.ts'],
  ['src/status/api/planted.ts', '../writer/status-writer.ts', '../../kube/model.ts'],
  ['src/status/conditions/planted.ts', '../api/request-error.ts', '../../json/json.ts'],
  ['src/status/writer/planted.ts', '../events/event-recorder.ts', '../conditions/condition-merge.ts'],
  ['src/status/leader/planted.ts', '../writer/status-writer.ts', '../api/object-request.ts'],
  ['src/status/events/planted.ts', '../writer/status-index.ts', '../../rate/work-queue.ts'],
  ['src/debug/planted.ts', '../serve/serve.ts', '../serve/model.ts'],
  ['src/trace/planted.ts', '../debug/change-log.ts', '../debug/model.ts'],
  ['src/page/planted.ts', '../json/json.ts', 'node:crypto'],
  ['src/page/browser/planted.js', '../page.ts', './words.js'],
  ['src/debug/api/planted.ts', '../../serve/serve.ts', '../../serve/model.ts'],
  ['src/authz/planted.ts', '../translate/model.ts', '../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts'],
  ['src/gateway/planted.ts', '../snapshot/model.ts', '../authz/authz.ts'],
  ['src/gateway/rpc/planted.ts', '../model.ts', './peer.ts'],
  ['src/gateway/network/planted.ts', '../config/model.ts', 'undici'],
  ['src/gateway/config/planted.ts', '../authn/model.ts', '../../net/outbound/text-fetch.ts'],
  ['src/gateway/authn/planted.ts', '../config/decode.ts', '../config/model.ts'],
  ['src/gateway/upstream/planted.ts', '../session/model.ts', '../rpc/peer.ts'],
  ['src/gateway/upstream/health/planted.ts', '../connection.ts', '../answer-limits.ts'],
  ['src/gateway/upstream/tasks/planted.ts', '../connection.ts', '../answer-size.ts'],
  ['src/gateway/upstream/transport/planted.ts', '../connection.ts', '../answer-limits.ts'],
  ['src/gateway/session/planted.ts', '../downstream/model.ts', '../upstream/model.ts'],
  ['src/gateway/downstream/planted.ts', '../upstream/model.ts', '../session/multiplexer.ts'],
  ['src/gateway/xds/planted.ts', '../../serve/serve.ts', '../model.ts'],
  ['src/gateway/xds/planted.ts', '../session/model.ts', '@bufbuild/protobuf/wire'],
  ['src/gateway/admin/planted.ts', '../xds/xds.ts', '../xds/model.ts'],
  ['src/mcp-tool/planted.ts', '../gateway/model.ts', '../edges.ts'],
  ['src/mcp-tool/planted.ts', 'mammoth', './convert/convert-in-process.ts'],
  ['src/mcp-tool/http/planted.ts', '../fetch/http-url.ts', '../../net/loopback.ts'],
  ['src/mcp-tool/fetch/planted.ts', '../convert/to-markdown.ts', '../source-document.ts'],
  ['src/mcp-tool/convert/planted.ts', 'undici', '../conversion-error.ts'],
  ['src/app/planted.ts', '../cli/cli.ts', '../serve/serve.ts'],
  ['src/app/planted.ts', '../serve/transport/bind.ts', '../serve/model.ts'],
  ['src/cli/planted.ts', '../serve/serve.ts', '../app/settings.ts'],
  ['src/cli/planted.ts', '../app/pipeline.ts', '../app/app.ts'],
  ['src/app/access/planted.ts', '../../cli/cli.ts', '../settings.ts'],
  ['src/app/offline/planted.ts', '../../serve/transport/bind.ts', '../../serve/model.ts'],
  ['src/cli/flags/planted.ts', '../../serve/serve.ts', '../../app/settings.ts'],
  ['src/explain/hints/planted.ts', '../../wire/wire.ts', '../nearest.ts'],
  ['src/gateway/session/lists/planted.ts', '../../downstream/model.ts', '../../upstream/model.ts'],
  ['src/gateway/session/tasks/planted.ts', '../../downstream/model.ts', '../../upstream/model.ts'],
  ['src/gateway/downstream/stateless/planted.ts', '../../upstream/model.ts', '../../session/model.ts'],
  ['src/cli/offline/planted.ts', '../../source/source.ts', '../../app/offline/offline.ts'],
  ['src/cli/trial/planted.ts', '../../gateway/gateway.ts', 'jose'],
  ['src/cli/remote/planted.ts', '../../serve/model.ts', '../../explain/model.ts'],
  ['src/demo/planted.ts', '../app/app.ts', '../net/host-port.ts'],
  ['src/log/planted.ts', '../json/json.ts', '../edges.ts'],
  ['src/planted.ts', './app/app.ts', './cli/cli.ts'],
];

const clocked = [
  'src/graph/planted-clock.ts',
  'src/translate/planted-clock.ts',
  'src/translate/gateway/planted-clock.ts',
  'src/explain/planted-clock.ts',
];

/** A temporary folder with a copy of the configuration, where one run lints the planted files. */
const house = mkdtempSync(join(tmpdir(), 'gatehouse-import-table-'));
let findings: ReadonlySet<string>;

beforeAll(() => {
  cpSync('biome.json', join(house, 'biome.json'));
  for (const [row, [file, forbidden, allowed]] of folders.entries()) {
    plant(file.replace('planted', `forbidden-${row}`), `import '${forbidden}';\n`);
    plant(file.replace('planted', `allowed-${row}`), `import '${allowed}';\n`);
  }
  for (const file of clocked) plant(file, 'export const now: number = Date.now();\n');
  const args = ['lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=github', '.'];
  const { stdout } = spawnSync(resolve('node_modules/.bin/biome'), args, { cwd: house, encoding: 'utf8' });
  const lines = stdout.matchAll(/title=(?<rule>[^,]+),file=(?<file>[^,]+),/g);
  findings = new Set(
    [...lines].map(({ groups }) => `${groups?.['rule']} in ${relative(realpathSync(house), groups?.['file'] ?? '')}`),
  );
});

afterAll(() => rmSync(house, { recursive: true }));

function plant(file: string, code: string): void {
  mkdirSync(dirname(join(house, file)), { recursive: true });
  writeFileSync(join(house, file), code);
}

describe('the import table', () => {
  it.each(folders.map(([file, forbidden], row) => ({ file, forbidden, row })))(
    'keeps $file from importing $forbidden',
    ({ file, row }) => {
      expect(findings).toContain(`lint/style/noRestrictedImports in ${file.replace('planted', `forbidden-${row}`)}`);
    },
  );

  it.each(folders.map(([file, , allowed], row) => ({ file, allowed, row })))(
    'lets $file import $allowed',
    ({ file, row }) => {
      expect(findings).not.toContain(`lint/style/noRestrictedImports in ${file.replace('planted', `allowed-${row}`)}`);
    },
  );

  it.each(clocked)('keeps time out of %s', (file) => {
    expect(findings).toContain(`lint/style/noRestrictedGlobals in ${file}`);
  });
});
