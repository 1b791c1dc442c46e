import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const launcher = packageJson.bin.gatehouse;

describe('the package', () => {
  it('has no dependencies, because dist/ contains what the programs use', () => {
    expect(Object.keys(packageJson).filter((key) => /^(optional|peer|bundled?)?dependencies$/i.test(key))).toEqual([]);
  });

  it('contains the launcher, dist/ and the manifests of the demo', () => {
    expect(packageJson.files).toEqual([launcher, 'dist', 'deploy']);
  });

  it('has a launcher that is executable already, so that npm changes no mode in a checkout', () => {
    expect(statSync(launcher).mode & 0o777).toBe(0o755);
  });

  it('has the version of the manifests and of the chart', () => {
    const { version } = packageJson;
    const chart = readFileSync('deploy/helm/gatehouse/Chart.yaml', 'utf8');
    expect(chart).toContain(`\nversion: ${version}\nappVersion: ${version}\n`);
    const examples = ['deployments/mcp-gateway', 'deployments/mcp-tool', 'secured/mcp-gateway'];
    const images = ['base/deployment', ...examples.map((example) => `examples/${example}`)].map((file) =>
      /image: \S+:(\S+)/.exec(readFileSync(`deploy/${file}.yaml`, 'utf8'))?.at(1),
    );
    expect(images).toEqual([version, version, version, version]);
  });

  it('has a changelog with its version, in which each kind of change has one list', () => {
    const [head, ...versions] = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m);
    expect(head).toContain('Keep a Changelog');
    expect(versions.map((text) => /^\[(\S+)\]/.exec(text)?.[1])).toContain(packageJson.version);
    for (const text of versions) {
      const [title, ...parts] = text.trimEnd().split('\n\n');
      const headings = parts.filter((_, index) => index % 2 === 0);
      expect(headings, title).toEqual(
        ['### Before you upgrade', '### Added', '### Changed', '### Fixed'].filter((one) => headings.includes(one)),
      );
      const items = parts.filter((_, index) => index % 2 === 1).flatMap((list) => list.split('\n'));
      expect(
        items.filter((line) => !line.startsWith('- ')),
        title,
      ).toEqual([]);
    }
  });

  it('has a launcher that asks for the Node of engines', () => {
    expect(packageJson.engines.node).toBe('>=24');
    expect(readFileSync(launcher, 'utf8')).toContain('Number.parseInt(process.versions.node, 10) < 24');
  });
});
