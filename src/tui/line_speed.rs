use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::termios::tcgetattr;

/// Bits a second. A pseudo terminal calls itself so fast, however fast what lies behind it is.
const OF_ALL: u32 = 38_400;
/// With the bits that begin and end it.
const BITS_OF_A_BYTE: u64 = 10;

/// How fast the line to the terminal is, where it is a slow one and says so, as a serial console does. No frame is begun
/// before the one before has gone out: what is shown is never older than that.
#[derive(Debug)]
pub struct LineSpeed {
    /// Bits a second.
    speed: Option<u32>,
    free_at: Instant,
}

impl LineSpeed {
    pub fn of(terminal: impl AsFd) -> Self {
        let speed = tcgetattr(terminal).ok().map(|settings| settings.output_speed());
        Self { speed: speed.filter(|speed| (1..OF_ALL).contains(speed)), free_at: Instant::now() }
    }

    /// So many bytes were handed over.
    pub fn sent(&mut self, bytes: usize, now: Instant) {
        if let Some(speed) = self.speed {
            let takes = (bytes as u64).saturating_mul(BITS_OF_A_BYTE * 1_000_000) / u64::from(speed);
            self.free_at = self.free_at.max(now) + Duration::from_micros(takes);
        }
    }

    /// Until all of it has gone out.
    pub fn busy(&self, now: Instant) -> Duration {
        self.free_at.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_line_is_busy_for_as_long_as_its_bytes_take() {
        let now = Instant::now();
        let mut line = LineSpeed { speed: Some(9_600), free_at: now };
        line.sent(960, now);
        line.sent(480, now);
        assert_eq!(line.busy(now), Duration::from_millis(1_500));
        assert_eq!(line.busy(now + Duration::from_secs(2)), Duration::ZERO);
        let mut fast = LineSpeed { speed: None, free_at: now };
        fast.sent(1 << 30, now);
        assert_eq!(fast.busy(now), Duration::ZERO);
    }
}
