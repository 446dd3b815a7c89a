/** The oldest versions without known holes in what we use of them. Below them the service warns, it never refuses. */

/** Newest line last. Node lines that are missing here and older than the first are out of support. */
const NODE_FLOORS: readonly (readonly [number, number, number])[] = [
  [24, 22, 1],
  [26, 12, 1],
];

/**
 * @param version such as `26.10.0`
 * @returns the warning, or `undefined` where there is nothing to say
 */
export function nodeVersionWarning(version: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const floor = NODE_FLOORS.find(([line]) => line === major);
  if (floor === undefined) {
    return major < 24 ? `Node ${version} is out of support; run on Node 26` : undefined;
  }
  const [, floorMinor, floorPatch] = floor;
  if (minor > floorMinor || (minor === floorMinor && patch >= floorPatch)) return undefined;
  return `Node ${version} lacks security fixes of ${floor.join('.')}; update it`;
}
