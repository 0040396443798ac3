import { formatAddress, type HostPort } from "../net/address.ts";
import type { ClockAnswers } from "./ask_clock.ts";
import type { Finding } from "./finding.ts";

/** Milliseconds by which clocks may differ before times of samples mislead. */
const TOLERANCE = 10;

/**
 * Judges what another computer answered.
 *
 * @param peer The other computer.
 * @param answers What it answered.
 * @returns Findings about the way there, the way back, and the clocks.
 */
export function checkPeer(peer: HostPort, answers: ClockAnswers): Finding[] {
  const name = formatAddress(peer);
  const { asked, answered, delay } = answers;
  if (answered === 0) {
    return [{
      check: "peer",
      status: "problem",
      message: `${name} did not answer any of ${asked} datagrams`,
      remedy:
        `start "labwire doctor --serve" there; if it runs, a firewall there keeps UDP ${peer.port} back`,
    }];
  }
  const message = `${name} answered ${answered} of ${asked} datagrams, the fastest in ${
    delay.toFixed(3)
  } ms`;
  const way: Finding = answered === asked
    ? { check: "peer", status: "ok", message }
    : { check: "peer", status: "problem", message, remedy: "use a cable instead of a radio link" };
  return [way, wayBack(name, answers), clocks(name, answers)];
}

/** Answers come back through a firewall that keeps everything else out. */
function wayBack(name: string, { unasked }: ClockAnswers): Finding {
  const check = "unasked datagrams";
  if (unasked > 0) {
    return {
      check,
      status: "ok",
      message: `those from a port of ${name} that was not asked arrive`,
    };
  }
  return {
    check,
    status: "problem",
    message: `none came from a port of ${name} that was not asked, only answers do`,
    remedy: "a firewall on this computer, or between the two, keeps them out: allow labwire in it",
  };
}

function clocks(name: string, { offset, delay }: ClockAnswers): Finding {
  const way = offset < 0 ? "ahead of" : "behind";
  const message = `this clock is ${Math.abs(offset).toFixed(3)} ms ${way} that of ${name}, ± ${
    (delay / 2).toFixed(3)
  } ms`;
  if (Math.abs(offset) - delay / 2 <= TOLERANCE) return { check: "clock", status: "ok", message };
  return {
    check: "clock",
    status: "problem",
    message,
    remedy:
      "set both by NTP (Linux: timedatectl set-ntp true, Windows: w32tm /resync); until then times of samples " +
      "from one computer mean little on the other",
  };
}
