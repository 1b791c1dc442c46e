import type { KindName } from '../../resources/model.ts';

/** An event on an object, to record as a Kubernetes Event. */
export interface ObjectEvent {
  readonly kind: KindName;
  /** `<namespace>/<name>` of the object. */
  readonly key: string;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, for filters. */
  readonly reason: string;
  /** The action of the controller, in CamelCase. */
  readonly action: string;
  /** For people. Truncated to the limit of the API. */
  readonly note: string;
  /** Events of an object with equal type, reason and value are one series. Default: the note. */
  readonly aggregateBy?: string;
  /** `leader`: every replica observes it, and one Event is enough. */
  readonly reportedBy: 'leader' | 'every replica';
}

/** Maximum length of `note`, in bytes. */
const maxNote = 1_024;

/** Makes a note that the API accepts: well-formed, and truncated between characters. */
export function eventNote(text: string): string {
  const wellFormed = text.toWellFormed();
  if (Buffer.byteLength(wellFormed) <= maxNote) return wellFormed;
  const ellipsis = '…';
  const bytes = Buffer.from(wellFormed).subarray(0, maxNote - Buffer.byteLength(ellipsis));
  // A character that was cut in two decodes to U+FFFD.
  return `${bytes.toString().replace(/\uFFFD+$/, '')}${ellipsis}`;
}

/** Maximum length of a DNS subdomain (RFC 1123). */
const maxName = 253;

/**
 * Makes the name of an Event: the name of the object, like client-go, and a unique suffix.
 *
 * @param unique lower-case letters and digits
 */
export function eventName(object: string, unique: string): string {
  const room = maxName - unique.length - 1;
  return `${object.slice(0, room).replace(/[-.]+$/, '')}.${unique}`;
}

/**
 * Maximum length of `reportingController` (`events.k8s.io/v1`), and of the part of a qualified name after the slash.
 */
const maxController = 128;
const maxNamePart = 63;

/**
 * Makes the `reportingController` of an Event: a qualified name, `<domain>/<name>`. A controller name may have a longer
 * path after its domain; characters that a qualified name does not allow become hyphens. Falls back to `gatehouse`.
 *
 * @param controller `GatewayClass.spec.controllerName`
 */
export function reportingController(controller: string): string {
  const slash = controller.indexOf('/');
  const domain = controller.slice(0, slash + 1);
  const room = Math.max(1, Math.min(maxNamePart, maxController - domain.length));
  const name = controller
    .slice(slash + 1)
    .replace(/[^-A-Za-z0-9_.]+/g, '-')
    .replace(/^[-_.]+/, '')
    .slice(0, room)
    .replace(/[-_.]+$/, '');
  const whole = `${domain}${name}`;
  return name === '' || whole.length > maxController ? 'gatehouse' : whole;
}
