/// One line on stdout. Whoever read it may be gone, a closed terminal too: that ends the output, not the work.
macro_rules! say {
    ($($words:tt)*) => {{
        let _ = ::std::io::Write::write_fmt(
            &mut ::std::io::stdout().lock(),
            ::std::format_args!("{}\n", ::std::format_args!($($words)*)),
        );
    }};
}

/// One line on stderr, under the same condition.
macro_rules! complain {
    ($($words:tt)*) => {{
        let _ = ::std::io::Write::write_fmt(
            &mut ::std::io::stderr().lock(),
            ::std::format_args!("{}\n", ::std::format_args!($($words)*)),
        );
    }};
}
