/** The limit of the API, in bytes. */
const longestNote = 1_024;

/** A note that the API takes: well-formed, and cut off at the end of a character. */
export function noteOf(text: string): string {
  const wellFormed = text.toWellFormed();
  if (Buffer.byteLength(wellFormed) <= longestNote) return wellFormed;
  const ellipsis = '…';
  const bytes = Buffer.from(wellFormed).subarray(0, longestNote - Buffer.byteLength(ellipsis));
  // What was cut in two is shown as a character that is no part of the text.
  return `${bytes.toString().replace(/\uFFFD+$/, '')}${ellipsis}`;
}

/** The limit of a DNS-1123 subdomain. */
const longestName = 253;

/**
 * The name of an Event: what it is about, as people expect it, and what makes it unique.
 *
 * @param unique lower-case letters and digits
 */
export function eventNameOf(object: string, unique: string): string {
  const room = longestName - unique.length - 1;
  return `${object.slice(0, room).replace(/[-.]+$/, '')}.${unique}`;
}

/** The limits of `reportingController` (`events.k8s.io/v1`), and of the part of a qualified name after the slash. */
const longestReporter = 128;
const longestLastPart = 63;

/**
 * What an Event calls the controller that tells it: a qualified name, `<domain>/<name>`. A controller's name may have a
 * whole path after its domain, which the API server refuses here: what does not go becomes a hyphen.
 *
 * @param controller `GatewayClass.spec.controllerName`
 */
export function reporterOf(controller: string): string {
  const slash = controller.indexOf('/');
  const domain = controller.slice(0, slash + 1);
  const room = Math.max(1, Math.min(longestLastPart, longestReporter - domain.length));
  const name = controller
    .slice(slash + 1)
    .replace(/[^-A-Za-z0-9_.]+/g, '-')
    .replace(/^[-_.]+/, '')
    .slice(0, room)
    .replace(/[-_.]+$/, '');
  const whole = `${domain}${name}`;
  return name === '' || whole.length > longestReporter ? 'gatehouse' : whole;
}
