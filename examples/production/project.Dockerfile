# A Meltano project with its taps, on top of the image of target-gainsight.
FROM meltano-gainsight:1.0.0
COPY --chown=10001 . /project
RUN meltano install
