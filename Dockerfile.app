# The responder: built and tested on Debian, run on nothing but itself and the libraries that it needs.
#   docker build -f Dockerfile.app -t fcgi-app-app .
#   docker build -f Dockerfile.app --target test .
ARG BASE_IMAGE=debian:trixie-slim
ARG VERSION=0.1.0

FROM ${BASE_IMAGE} AS base
WORKDIR /src
COPY build-aux/upgrade build-aux/
RUN build-aux/upgrade

FROM base AS build
COPY autogen.sh configure.ac Makefile.am ./
RUN ./autogen.sh --deps=build
COPY nginx nginx
COPY fcgi-app fcgi-app
RUN ./configure --prefix=/usr --runstatedir=/run && make

FROM build AS test
COPY . .
RUN ./autogen.sh --deps && ./configure --prefix=/usr --runstatedir=/run && make check

FROM build AS rootfs
ARG VERSION
ARG SOURCE_DATE_EPOCH=0
COPY LICENSE ./
COPY build-aux/rootfs build-aux/
RUN make install-exec DESTDIR=/own && \
    strip /own/usr/bin/fcgi-app && \
    /own/usr/bin/fcgi-app --version | grep -Fx "fcgi-app $VERSION"
RUN mkdir /own/etc && \
    echo 'fcgi-app:x:1001:1001::/:/usr/sbin/nologin' >/own/etc/passwd && \
    echo 'fcgi-app:x:1001:' >/own/etc/group && \
    install -d -o 1001 -g 1001 -m 0770 /own/run/fcgi-app && \
    build-aux/rootfs /rootfs fcgi-app "$VERSION" LICENSE /own

FROM scratch
ARG BASE_IMAGE
ARG VERSION
ARG REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="fcgi-app" \
      org.opencontainers.image.description="FastCGI responder with three JSON endpoints" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
COPY --from=rootfs /rootfs/ /
USER 1001:1001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=5s --retries=3 CMD ["/usr/bin/fcgi-app", "--healthcheck"]
ENTRYPOINT ["/usr/bin/fcgi-app"]
