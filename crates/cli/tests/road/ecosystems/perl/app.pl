use strict;
use warnings;
use IO::Socket::INET;

# What comes with Perl is enough to say hello.
my $server = IO::Socket::INET->new(
    LocalAddr => '0.0.0.0',
    LocalPort => $ENV{PORT} || 5000,
    Listen    => 16,
    ReuseAddr => 1,
) or die "cannot listen: $!";
$SIG{PIPE} = 'IGNORE';
my $body = "Hello from Perl\n";
while (1) {
    my $client = $server->accept or next;
    while (defined(my $line = <$client>)) {
        last if $line eq "\r\n";
    }
    print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ", length $body, "\r\nConnection: close\r\n\r\n", $body;
    close $client;
}
