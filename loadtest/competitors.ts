/** The table of competitors, in the order in which they are shown. */
import { caddy } from './competitors/caddy.ts';
import type { Competitor } from './competitors/competitor.ts';
import { haproxy } from './competitors/haproxy.ts';
import { httpProxy } from './competitors/http-proxy.ts';
import { lychgate } from './competitors/lychgate.ts';
import { nginx } from './competitors/nginx.ts';
import { bareTls, pooled, relay } from './competitors/yardsticks.ts';

export const COMPETITORS: readonly Competitor[] = [lychgate, relay, pooled, bareTls, nginx, haproxy, caddy, httpProxy];
