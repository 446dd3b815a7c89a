/** What the admin listener may ask of the service. The service provides it. */
export interface Control {
  /** True while requests are served. */
  ready(): boolean;
}
