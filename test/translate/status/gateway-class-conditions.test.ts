import { describe, expect, it } from 'vitest';
import type { BundleVersions } from '../../../src/translate/model.ts';
import { createTranslatedWorld, type TranslatedWorld } from '../../support/worlds/translated-world.ts';
import { gatewayClassOf } from '../manifests.ts';

/** A world with one GatewayClass of ours and one of another controller. */
function worldWith(bundle: BundleVersions | undefined): TranslatedWorld {
  const world = createTranslatedWorld();
  world.apply(gatewayClassOf('mcp', 'kgateway.dev/kgateway', 3), gatewayClassOf('other', 'example.com/other', 3));
  if (bundle !== undefined) world.graph.commit(() => world.inputs.bundle.set('', bundle));
  return world;
}

function supportedVersion(world: TranslatedWorld): string | undefined {
  const conditions = world.translation.gatewayClassStatuses.get('mcp')?.conditions ?? [];
  const found = conditions.find(({ type }) => type === 'SupportedVersion');
  return found && `${found.status}/${found.reason} at ${found.observedGeneration}: ${found.message}`;
}

function versions(...all: readonly (string | undefined)[]): BundleVersions {
  return { known: true, versions: all.map((version, at) => [`crd-${at}`, version]) };
}

describe('the condition SupportedVersion', () => {
  it('is absent without a cluster', () => {
    expect(supportedVersion(worldWith(undefined))).toBeUndefined();
  });

  it.each(['v1.0.0', 'v1.2.1', 'v1.5.0-rc.1', 'v1.6.1'])('is true when all CRDs have the version %s', (version) => {
    expect(supportedVersion(worldWith(versions(version, version)))).toMatch(
      new RegExp(`^True/SupportedVersion at 3: .*${version.replaceAll('.', '\\.')}\\.$`),
    );
  });

  it.each([undefined, 'v0.8.1', 'v1.7.0', 'v1.60.0', 'v2.0.0', '1.6.1', 'v1.6', 'main'])(
    'is false when one CRD has the version %s, and names it',
    (version) => {
      const message = supportedVersion(worldWith(versions('v1.6.1', version)));
      expect(message).toMatch(/^False\/UnsupportedVersion at 3: crd-1 is /);
      expect(message).toContain(version ?? 'of no version');
      expect(message).toContain('Supported are v1.0 to v1.6');
    },
  );

  it('is false when the versions cannot be read, with the reason', () => {
    expect(supportedVersion(worldWith({ known: false, reason: 'forbidden' }))).toMatch(
      /^False\/UnsupportedVersion at 3: .*forbidden/,
    );
  });

  it('does not affect acceptance', () => {
    const world = worldWith(versions('v9.9.9'));
    const accepted = world.translation.gatewayClassStatuses.get('mcp')?.conditions[0];
    expect(accepted).toMatchObject({ type: 'Accepted', status: 'True' });
  });

  it("is not written on another controller's class", () => {
    expect(worldWith(versions('v1.6.1')).translation.gatewayClassStatuses.get('other')).toBeUndefined();
  });
});
