/** The oldest versions without known holes in what we use of them. Below them the service warns, it never refuses. */

/** The newest of each line that can be had: nobody is told to install what is not there. */
export const NODE_FLOORS: readonly (readonly [number, number, number])[] = [
  [24, 21, 0],
  [26, 10, 0],
];

/**
 * @param version such as `26.10.0`
 * @returns the warning, or `undefined` where there is nothing to say
 */
export function nodeVersionWarning(version: string): string | undefined {
  const [line = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const floor = NODE_FLOORS.find(([each]) => each === line);
  if (floor === undefined) return undefined;
  const [, floorMinor, floorPatch] = floor;
  if (minor > floorMinor || (minor === floorMinor && patch >= floorPatch)) return undefined;
  return `Node ${version} lacks security fixes of ${floor.join('.')}; update it`;
}
