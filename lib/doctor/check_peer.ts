import { ConnectError } from "../errors.ts";
import { formatAddress, type HostPort, isIPv6 } from "../net/address/address.ts";
import type { ClockAnswers } from "./ask_clock.ts";
import type { Finding } from "./finding.ts";
import { failure } from "./refusal.ts";
import { SendError } from "./send_error.ts";
import type { System } from "./system.ts";

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
      remedy: findSilence(peer, answers.address),
    }, ...unknown(`${name} did not answer`)];
  }
  const message = `${name} answered ${answered} of ${asked} datagrams, the fastest in ${
    delay.toFixed(3)
  } ms`;
  const way: Finding = answered === asked
    ? { check: "peer", status: "ok", message }
    : { check: "peer", status: "problem", message, remedy: "use a cable instead of a radio link" };
  return [way, wayBack(name, answers), clocks(name, answers)];
}

/**
 * Makes a finding of the error with which asking another computer failed.
 *
 * @param peer The other computer.
 * @param error What was thrown.
 * @param os The operating system of this one.
 */
export function peerFailure(peer: HostPort, error: unknown, os: System["os"]): Finding {
  const check = "peer";
  if (error instanceof SendError) return failure(check, error.cause, os, error.address);
  if (!(error instanceof ConnectError)) return failure(check, error, os);
  return {
    check,
    status: "problem",
    message: error.message,
    remedy: `check the spelling of "${peer.hostname}", or give the computer's IP address: ` +
      '"labwire doctor" there lists its addresses',
  };
}

/** What is unknown of a computer that does not answer. */
function unknown(why: string): Finding[] {
  return ["unsolicited UDP", "clock"].map((check) => {
    return { check, status: "note", message: `not checked, because ${why}` };
  });
}

/** Why another computer may be silent, the likeliest first. */
function findSilence({ port }: HostPort, address: string): string {
  const start = isIPv6(address)
    ? `start "labwire doctor --serve --listen '[::]:${port}'" there, since without --listen it serves IPv4 only`
    : 'start "labwire doctor --serve" there';
  return `${start}; if it runs, a firewall on either computer or between the two blocks UDP ${port} or the answers` +
    ": allow labwire in it";
}

/** Answers come back through a firewall that blocks everything else. */
function wayBack(name: string, { unsolicited }: ClockAnswers): Finding {
  const check = "unsolicited UDP";
  if (unsolicited > 0) {
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
    remedy: "a firewall on this computer, or between the two, blocks them: allow labwire in it",
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
